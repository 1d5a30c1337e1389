//! A node that runs: its directory, its listener, a thread per connection, and an end that leaves nothing behind.
//!
//! Guarantees: one process per directory (a lock on it); a request is answered in order on its connection; when
//! [`Running::stop`] has returned, nothing is written to the directory any more, and it may be started again. Slow and silent
//! clients cost a thread for [`IDLE`] at most, of [`CONNECTIONS`].

use std::collections::HashMap;
use std::fs::{self, File};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Serialize;

use crate::log::{Body, Entry, Log};
use crate::membership::Meta;
use crate::node::Node;
use crate::peers::Lines;
use crate::protocol::{Answer, BATCH_BYTES, Code, ENTRY_BYTES, Fault, Request, WRITE_DEADLINE};
use crate::{candidate, change, replicate};

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(30);
/// How long a client may take to take its answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);
/// Connections at once; more are closed as they come.
const CONNECTIONS: usize = 256;

#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) copy_delay: Duration,
}

/// The connections that are open, so that stopping can end them, and wait for their threads.
#[derive(Default)]
struct Connections {
    open: Mutex<HashMap<u64, TcpStream>>,
    closed: Condvar,
}

pub(crate) struct Running {
    pub(crate) node: Arc<Node>,
    pub(crate) address: SocketAddr,
    connections: Arc<Connections>,
    threads: Vec<JoinHandle<()>>,
    lock: File,
}

/// # Errors
/// The directory is in use, belongs to a node of another name, or is damaged; the address is taken, or is not
/// the one by which the cluster knows this node.
pub(crate) fn start(options: Options) -> anyhow::Result<Running> {
    let Options {
        name,
        dir,
        mut listen,
        copy_delay,
    } = options;
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let lock = File::create(dir.join("lock"))?;
    lock.try_lock()
        .with_context(|| format!("{} is in use by another process", dir.display()))?;
    let mut meta = Meta::load(&dir).context("node.json cannot be read")?;
    ensure!(
        meta.name.is_empty() || meta.name == name,
        "{} belongs to node {}",
        dir.display(),
        meta.name
    );
    if meta.cluster_id.is_some() {
        if listen.port() == 0 {
            listen = meta.address.parse()?;
        }
        ensure!(
            listen.to_string() == meta.address,
            "the cluster knows this node by its address {}",
            meta.address
        );
    }
    let log = Log::open(&dir.join("log.jsonl")).context("the log cannot be read")?;
    let listener = TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    (meta.name, meta.address) = (name, address.to_string());
    let node = Arc::new(Node::new(dir, meta, log, copy_delay)?);
    let connections = Arc::new(Connections::default());
    let (beating, accepting, open) = (Arc::clone(&node), Arc::clone(&node), Arc::clone(&connections));
    let threads = vec![
        thread::spawn(move || candidate::beat(&beating)),
        thread::spawn(move || accept(&listener, &accepting, &open)),
    ];
    Ok(Running {
        node,
        address,
        connections,
        threads,
        lock,
    })
}

impl Running {
    pub(crate) fn stop(self) {
        self.node.stopping.store(true, Ordering::SeqCst);
        self.node.changed.notify_all();
        // The listener has no deadline: a last connection wakes it.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        for thread in self.threads {
            thread.thread().unpark();
            let _ = thread.join();
        }
        let open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // One that is asking another node may take longer; it finds the node stopped, and writes nothing.
        let wait = Duration::from_secs(1);
        let _ = self
            .connections
            .closed
            .wait_timeout_while(open, wait, |open| !open.is_empty());
        let _ = self.lock.unlock();
    }
}

fn accept(listener: &TcpListener, node: &Arc<Node>, connections: &Arc<Connections>) {
    for (number, stream) in (0..).zip(listener.incoming()) {
        if node.is_stopping() {
            return;
        }
        let Ok((stream, ours)) = stream.and_then(|stream| Ok((stream.try_clone()?, stream))) else {
            thread::park_timeout(Duration::from_millis(50)); // out of descriptors, most likely: do not spin
            continue;
        };
        let mut open = connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= CONNECTIONS {
            continue;
        }
        open.insert(number, ours);
        let (node, connections) = (Arc::clone(node), Arc::clone(connections));
        thread::spawn(move || {
            serve(&node, stream);
            drop(node);
            connections
                .open
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&number);
            connections.closed.notify_all();
        });
    }
}

/// Answers until the client closes, says nothing for too long, or says what cannot be a line.
fn serve(node: &Node, stream: TcpStream) {
    let Ok(mut lines) = Lines::new(stream) else { return };
    loop {
        let (answer, last) = match lines.read(IDLE) {
            Ok(Some(line)) => (respond(node, &line), false),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                (Answer::Error(Fault::new(Code::BadRequest, error.to_string())), true)
            }
            Ok(None) | Err(_) => return,
        };
        if let Answer::Error(fault) = &answer
            && fault.code == Code::Disk
        {
            node.fail(fault);
        }
        if node.is_stopping() || lines.write(&answer, ANSWER_DEADLINE).is_err() || last {
            return;
        }
    }
}

fn respond(node: &Node, line: &[u8]) -> Answer {
    let request = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => return Answer::Error(Fault::new(Code::BadRequest, error.to_string())),
    };
    let answer = match request {
        Request::Status {} => as_value(&node.lock().status(Instant::now())),
        Request::Write { data } => write(node, data),
        Request::Read { from } => {
            let state = node.lock();
            let entries = state.log.slice(from, state.committed, BATCH_BYTES);
            Ok(serde_json::json!({ "from": from, "entries": entries, "committed": state.committed }))
        }
        Request::Init { cluster_id } => change::init(node, cluster_id).and_then(|status| as_value(&status)),
        Request::Join {
            node: member,
            if_version,
        } => change::join(node, &member, if_version).and_then(|changed| as_value(&changed)),
        Request::Add(change) => change::add(node, change).and_then(|changed| as_value(&changed)),
        Request::Remove(change) => change::remove(node, change).and_then(|changed| as_value(&changed)),
        Request::Pull(pull) => replicate::answer(node, &pull).and_then(|pulled| as_value(&pulled)),
        Request::Vote(ballot) => candidate::vote(node, &ballot).and_then(|voted| as_value(&voted)),
        Request::Stand { cluster_id, epoch } => {
            let meta = node.lock().meta.clone();
            if meta.cluster_id == Some(cluster_id) && meta.epoch == epoch {
                candidate::stand(node, true).and_then(|()| as_value(&()))
            } else {
                Err(Fault::new(Code::NotReady, "the node is in another cluster or epoch"))
            }
        }
        Request::Adopt {
            cluster_id,
            epoch,
            members,
        } => change::adopt(node, &cluster_id, epoch, members).and_then(|()| as_value(&())),
    };
    answer.map_or_else(Answer::Error, Answer::Ok)
}

fn write(node: &Node, data: String) -> Result<serde_json::Value, Fault> {
    let until = Instant::now() + WRITE_DEADLINE;
    let (epoch, end) = {
        let (mut state, now) = (node.lock(), Instant::now());
        let (primary, leads) = (state.primary(now), state.leads(now));
        if state.meta.cluster_id.is_none() {
            return Err(Fault::new(Code::NotInCluster, "the node is in no cluster"));
        }
        if !leads {
            return Err(Fault::not_primary(primary));
        }
        if state.lead().is_none_or(|lead| lead.handing_over) {
            return Err(Fault::not_primary(None));
        }
        let entry = Entry {
            epoch: state.meta.epoch,
            body: Body::Data(data),
        };
        if as_value(&entry)?.to_string().len() >= ENTRY_BYTES {
            return Err(Fault::new(
                Code::BadRequest,
                format!("an entry has less than {ENTRY_BYTES} bytes"),
            ));
        }
        (entry.epoch, state.append(entry.body)?)
    };
    node.changed.notify_all();
    change::await_commit(node, epoch, end, until)?;
    Ok(serde_json::json!({ "offset": end - 1, "epoch": epoch }))
}

fn as_value(answer: &impl Serialize) -> Result<serde_json::Value, Fault> {
    serde_json::to_value(answer).map_err(|error| Fault::new(Code::BadRequest, error.to_string()))
}
