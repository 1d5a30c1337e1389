//! A port on loopback that leads to a listener, and writes down what passes.

use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::client::frame;
use crate::client::recorded::Exchange;
use agent_sdk::config::Address;

/// What passes.
#[derive(Clone, Default)]
pub(super) struct Tape(Arc<Mutex<Vec<Exchange>>>);

impl Tape {
    /// A port that leads to the listener at this address, and writes down what passes as of the listener of this name.
    pub(super) async fn towards(&self, name: &'static str, to: Address) -> Address {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tape = self.clone();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut server = TcpStream::connect((to.host(), to.port())).await.unwrap();
                while let Ok(request) = frame::read(&mut client, usize::MAX).await {
                    send(&mut server, &request).await;
                    let Ok(answer) = frame::read(&mut server, usize::MAX).await else {
                        break;
                    };
                    let listener = name.to_owned();
                    tape.0.lock().unwrap().push(Exchange {
                        listener,
                        request,
                        answer: answer.clone(),
                    });
                    send(&mut client, &answer).await;
                }
            }
        });
        Address::new("127.0.0.1", port)
    }

    /// All that passed.
    pub(super) fn all(&self) -> Vec<Exchange> {
        self.0.lock().unwrap().clone()
    }

    /// What passed, each question once with its last answer: every connection begins with the same one, and a wait asks
    /// one over and over.
    pub(super) fn last_of_each(&self) -> Vec<Exchange> {
        let all = self.all();
        let is_last = |at: &usize| !all[at + 1..].iter().any(|later| same(later, &all[*at]));
        (0..all.len()).filter(is_last).map(|at| all[at].clone()).collect()
    }
}

async fn send(stream: &mut TcpStream, frame: &[u8]) {
    stream.write_i32(frame.len().try_into().unwrap()).await.unwrap();
    stream.write_all(frame).await.unwrap();
}

/// Whether these are the same question at the same listener.
fn same(one: &Exchange, other: &Exchange) -> bool {
    one.listener == other.listener && one.request[..4] == other.request[..4] && one.request[8..] == other.request[8..]
}
