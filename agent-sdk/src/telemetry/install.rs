//! Logs and traces, set up once per process.

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use super::traces;
use crate::config::{LogFilter, LogFilterError, LogFormat, Logs, Traces};

/// Why nothing is logged or traced.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter is none.
    #[error("logs.filter: {0}")]
    Filter(#[from] LogFilterError),
    /// The exporter of traces cannot be made.
    #[error("traces.otlp_endpoint: {0}")]
    Exporter(String),
    /// Somebody else logs in this process already.
    #[error("this process has its logs set up already")]
    Twice,
}

/// Keeps telemetry going; spans that were gathered are sent when it is dropped.
#[must_use = "spans that wait are lost when this is not kept to the end"]
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// How long the last spans may take to be sent.
const FAREWELL: Duration = Duration::from_secs(2);

/// Sets up logs on standard error and, where a collector is configured, traces. `service` and `version` name the agent
/// in its traces.
pub fn install(logs: &Logs, traces: &Traces, service: &str, version: &str) -> Result<Telemetry, TelemetryError> {
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (subscriber, telemetry) = subscriber(logs, traces, service, version, std::io::stderr, ansi)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::Twice)?;
    Ok(telemetry)
}

/// The same, for one who puts it in place himself.
pub(super) fn subscriber<W>(
    logs: &Logs,
    traces: &Traces,
    service: &str,
    version: &str,
    writer: W,
    ansi: bool,
) -> Result<(impl Subscriber + Send + Sync + 'static, Telemetry), TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let LogFilter(filter) = logs.filter.parse()?;
    let provider = match &traces.otlp_endpoint {
        None => None,
        Some(endpoint) => Some(traces::provider(endpoint, service, version).map_err(TelemetryError::Exporter)?),
    };
    let exported = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("agent-sdk"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            // What is traced does not depend on what is logged; what libraries do inside is nobody's business here.
            .with_filter(Targets::new().with_default(LevelFilter::INFO))
    });
    let subscriber = tracing_subscriber::registry()
        .with(printed(logs.format, writer, ansi).with_filter(filter))
        .with(exported);
    Ok((subscriber, Telemetry { provider }))
}

fn printed<S, W>(format: LogFormat, writer: W, ansi: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(ansi);
    match format {
        LogFormat::Text => Box::new(lines),
        LogFormat::Json => Box::new(
            lines
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false),
        ),
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take() {
            // A collector that is gone has been told of in the log.
            let _ = provider.shutdown_with_timeout(FAREWELL);
        }
    }
}
