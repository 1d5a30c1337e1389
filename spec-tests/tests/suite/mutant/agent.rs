//! The agent itself: a server on a thread of its own, stopped when dropped.

use std::collections::{HashMap, HashSet};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use tokio::sync::watch;

use super::answer::Tree;
use super::book::Book;
use super::draft::draft;
use super::fault::Fault;
use super::json::Json;
use super::options::{Faults, Options};
use super::{durable, lawful, oddity, runner, serve};

/// What the server and the runner have in common.
pub struct Shared {
    pub options: Options,
    pub faults: Faults,
    pub began: Instant,
    book: Mutex<Book>,
    /// Places of actions that an answer of `finished` in `unstable` has shown.
    pub seen: Mutex<HashSet<usize>>,
    changed: watch::Sender<()>,
    counts: Mutex<HashMap<&'static str, u32>>,
    server: OnceLock<ServerHandle>,
}

impl Shared {
    /// Reads the book.
    pub fn look<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        look(&self.book.lock().unwrap())
    }

    /// Writes it; whoever waits for changes is told once it is written.
    pub fn change<T>(&self, change: impl FnOnce(&mut Book) -> T) -> T {
        let changed = change(&mut self.book.lock().unwrap());
        self.changed.send_replace(());
        changed
    }

    /// Tells of changes from now on.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// How often this was asked before.
    pub fn asked(&self, what: &'static str) -> u32 {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry(what).or_default();
        *count += 1;
        *count - 1
    }

    /// How often this was asked so far.
    pub fn times_asked(&self, what: &'static str) -> u32 {
        self.counts.lock().unwrap().get(what).copied().unwrap_or_default()
    }

    /// Stops listening, and cuts every connection.
    pub fn stop(&self) {
        if let Some(server) = self.server.get() {
            drop(server.stop(false));
        }
    }
}

/// A running agent.
pub struct Agent {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub address: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Agent {
    /// Starts an agent; once it returns, the agent answers.
    pub fn start(options: Options) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).unwrap();
        let at: SocketAddr = listener.local_addr().unwrap();
        let faults = Faults(options.faults.clone());
        let mut book = options
            .file
            .as_deref()
            .map_or_else(Book::default, |file| durable::open(file, &faults));
        if faults.has(Fault::SameActionEverywhere) {
            let text = r#"{"kind": "agent.replicante.io/test.success", "id": "00000000-0000-4000-8000-000000000001"}"#;
            let action = draft(Tree::V1, &Json::read(text).unwrap(), &faults).unwrap();
            book.accept(action);
        }
        for action in oddity::actions(&options) {
            book.accept(action);
        }
        lawful::begin(&mut book, &faults);
        let shared = Arc::new(Shared {
            options,
            faults,
            began: Instant::now(),
            book: Mutex::new(book),
            seen: Mutex::default(),
            changed: watch::Sender::new(()),
            counts: Mutex::default(),
            server: OnceLock::new(),
        });
        let (started, starts) = mpsc::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = web::Data::from(Arc::clone(&served));
                let server = HttpServer::new(move || {
                    let service = web::to(serve::answer);
                    App::new().app_data(app.clone()).default_service(service)
                });
                let server = server
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(0)
                    .listen(listener)
                    .unwrap()
                    .run();
                drop(served.server.set(server.handle()));
                let runner = actix_web::rt::spawn(runner::run(Arc::clone(&served)));
                started.send(()).unwrap();
                server.await.unwrap();
                runner.abort();
            });
        });
        starts.recv().unwrap();
        Self {
            address: format!("http://{at}"),
            shared,
            thread: Some(thread),
        }
    }

    /// A right agent.
    pub fn right() -> Self {
        Self::start(Options::default())
    }

    /// One that is wrong in this.
    pub fn wrong(fault: Fault) -> Self {
        Self::start(Options::with(fault))
    }

    /// Looks into the book, whatever the answers say of it.
    pub fn look<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        self.shared.look(look)
    }

    /// Waits until the book is so, whatever the answers say of it; false where it is not within two seconds.
    pub fn wait(&self, so: impl Fn(&Book) -> bool) -> bool {
        let mut changes = self.shared.changes();
        let watch = async {
            while !self.shared.look(&so) {
                changes.changed().await.unwrap();
            }
        };
        let limited = async { tokio::time::timeout(Duration::from_secs(2), watch).await.is_ok() };
        actix_web::rt::Runtime::new().unwrap().block_on(limited)
    }

    /// Waits until the agent stops by itself, for those that die.
    pub fn join(mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
