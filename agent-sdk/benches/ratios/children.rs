//! Processes beside this one: the agent, the bare route, the toy store. Each ends with its handle, however that ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// How long an agent may take to start: far longer than is promised, so that what is wrong can be told.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process whose standard output is read line by line.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("a process without output")?);
        Ok(Self { child, input, output })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(
            !line.is_empty(),
            "a process ended without a word; its log is beside its directory"
        );
        Ok(line.trim().to_owned())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The toy store's agent, as its vendor ships it, from the command line on.
pub(crate) struct Agent {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Agent {
    /// Starts one on a new state directory in this one and waits until it answers. Its queue is longer than the default,
    /// which is not what is measured; everything else is as it comes.
    pub(crate) fn start(program: &Path, directory: &Path, store: SocketAddr) -> anyhow::Result<Self> {
        let state = directory.join("state");
        let address = free_address()?;
        let file = directory.join("agent.yaml");
        let text = format!(
            "state_directory: {}\napi:\n  bind: {address}\nactions:\n  max_queued: 1000000\nstore:\n  address: {store}\n",
            state.display()
        );
        std::fs::write(&file, text)?;
        let mut command = Command::new(program);
        command.arg("--config").arg(&file).arg("run");
        let log = directory.join("agent.log");
        let mut process = Process::start(&mut command, &log)?;
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = process.child.try_wait()?.is_some() || begun.elapsed() > PATIENCE;
            ensure!(!ended, "the agent does not start: {}", std::fs::read_to_string(&log)?);
            std::thread::sleep(Duration::from_millis(1));
        }
        let token = std::fs::read_to_string(state.join("token"))?.trim().to_owned();
        Ok(Self {
            process,
            address,
            token,
        })
    }
}

/// An address that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// An agent beside the store that counts.
pub(crate) struct CountingAgent {
    process: Process,
    pub(crate) address: SocketAddr,
}

impl CountingAgent {
    pub(crate) fn start(directory: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("counting");
        let mut process = Process::start(&mut command, &directory.join("counting.log"))?;
        let address = process.line()?.parse()?;
        Ok(Self { process, address })
    }

    /// Asks it to stop, and returns what its store has to say.
    pub(crate) fn stop(mut self) -> anyhow::Result<String> {
        self.process.input = None;
        let line = self.process.line()?;
        ensure!(self.process.child.wait()?.success(), "the agent did not end well");
        Ok(line)
    }
}

/// A bare actix route that answers the same bytes to everything.
pub(crate) struct Bare {
    _process: Process,
    pub(crate) address: SocketAddr,
}

impl Bare {
    pub(crate) fn start(directory: &Path, body: &[u8]) -> anyhow::Result<Self> {
        let file = directory.join("body");
        std::fs::write(&file, body)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").arg(&file);
        let mut process = Process::start(&mut command, &directory.join("bare.log"))?;
        let address = process.line()?.parse()?;
        Ok(Self {
            _process: process,
            address,
        })
    }
}

/// A node of the toy store, alone in its cluster.
pub(crate) struct Toy {
    _process: Process,
    pub(crate) address: SocketAddr,
}

impl Toy {
    pub(crate) fn start(program: &Path, directory: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(["--name", "n1", "--dir"]).arg(directory.join("node"));
        let mut process = Process::start(&mut command, &directory.join("toy-store.log"))?;
        let line = process.line()?;
        let address = line
            .strip_prefix("listening on ")
            .context("the toy store says nothing")?;
        let address = address.parse()?;
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"{\"do\":\"init\"}\n")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        ensure!(answer.starts_with("{\"ok\""), "the toy store refuses: {answer}");
        Ok(Self {
            _process: process,
            address,
        })
    }
}

/// Builds an example of this package with the profile that is shipped, and says where it is.
pub(crate) fn example(name: &str) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--quiet",
            "--package",
            "agent-sdk",
            "--example",
            name,
        ])
        .args(["--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be run")?;
    ensure!(output.status.success(), "the example {name} cannot be built");
    let messages = String::from_utf8(output.stdout)?;
    let found = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let its = message.get("target")?.get("name")?.as_str()? == name;
        let file = message.get("executable")?.as_str()?;
        its.then(|| PathBuf::from(file))
    });
    found.with_context(|| format!("cargo does not say where {name} is"))
}
