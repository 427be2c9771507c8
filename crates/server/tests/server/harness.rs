//! Starts servers, and says what tests say again and again.

use bytes::Bytes;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use werkbuch_model::event::{Body, Reported, State, StateChanged, Vocabulary};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;
use werkbuch_server::{Limits, PartialConfig, ServeError, run_with};
use werkbuch_wire::pb;
use werkbuch_wire::pb::admin_service_client::AdminServiceClient;
use werkbuch_wire::pb::history_service_client::HistoryServiceClient;
use werkbuch_wire::pb::ingest_service_client::IngestServiceClient;
use werkbuch_wire::pb::model_service_client::ModelServiceClient;
use werkbuch_wire::pb::twin_service_client::TwinServiceClient;
use werkbuch_wire::reason::Reason;

pub(crate) const TENANT: &str = "tenants/default";
pub(crate) const PLANT: &str = "tenants/default/plants/PLT-07";

/// A plant of five presses in two areas.
pub(crate) const PLANT_FILE: &str = r#"
[plant]
id = "PLT-07"
name = "Plant 7"
time_zone = "Europe/Berlin"
[[unit]]
id = "body"
level = "area"
[[unit]]
id = "paint"
level = "area"
[[machine]]
id = "press-1"
name = "Press 1"
type = "press"
in = "body"
[[machine]]
id = "press-2"
in = "body"
[[machine]]
id = "press-3"
in = "body"
[[machine]]
id = "press-4"
in = "paint"
[[machine]]
id = "press-5"
in = "paint"
"#;

/// A server that runs until it is told to end.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
    pub(crate) folder: TempDir,
}

/// Bounds that make tests short.
pub(crate) fn short() -> Limits {
    Limits {
        handshake: Duration::from_millis(300),
        slow_reader: Duration::from_millis(300),
        heartbeat: Duration::from_millis(100),
        ..Limits::default()
    }
}

pub(crate) fn config(folder: &Path) -> PartialConfig {
    PartialConfig {
        data: Some(folder.join("data")),
        listen: Some("127.0.0.1:0".into()),
        shutdown_grace: Some("2s".into()),
        ..PartialConfig::default()
    }
}

pub(crate) async fn serve() -> Served {
    serve_in(tempfile::tempdir().unwrap(), short()).await
}

pub(crate) async fn serve_in(folder: TempDir, limits: Limits) -> Served {
    let config = config(folder.path());
    serve_as(folder, limits, config).await
}

pub(crate) async fn serve_as(folder: TempDir, limits: Limits, config: PartialConfig) -> Served {
    let config = config.resolve().unwrap();
    let (stop, stopped) = oneshot::channel();
    let (ready, address) = oneshot::channel();
    let task = tokio::spawn(async move {
        let shutdown = async { stopped.await.unwrap_or_default() };
        run_with(config, limits, shutdown, |address| {
            ready.send(address).unwrap()
        })
        .await
    });
    let address = address.await.expect("the server starts");
    Served {
        address,
        stop,
        task,
        folder,
    }
}

/// A server with the plant of five presses.
pub(crate) async fn serve_plant() -> Served {
    let served = serve().await;
    let applied = served
        .model()
        .await
        .apply_plant(apply(PLANT_FILE))
        .await
        .unwrap()
        .into_inner();
    assert!(applied.created && applied.recorded, "{applied:?}");
    served
}

impl Served {
    pub(crate) async fn channel(&self) -> Channel {
        self.endpoint().connect().await.unwrap()
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap()
    }

    pub(crate) async fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.channel().await)
    }

    pub(crate) async fn history(&self) -> HistoryServiceClient<Channel> {
        HistoryServiceClient::new(self.channel().await)
    }

    pub(crate) async fn ingest(&self) -> IngestServiceClient<Channel> {
        IngestServiceClient::new(self.channel().await)
    }

    pub(crate) async fn model(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel().await)
    }

    pub(crate) async fn twin(&self) -> TwinServiceClient<Channel> {
        TwinServiceClient::new(self.channel().await)
    }

    /// Opens a source and answers with its session.
    pub(crate) async fn session(&self, source: &str) -> u64 {
        self.ingest()
            .await
            .open_source(open(source))
            .await
            .unwrap()
            .into_inner()
            .session
    }

    /// Reports states of machine 1, one event for each, numbered from `first` on.
    pub(crate) async fn report(&self, session: u64, first: u64, states: &[State]) -> u64 {
        let events = (first..)
            .zip(states)
            .map(|(sequence, to)| state(sequence, 1, *to));
        let request = append(session, events.collect());
        let done = self
            .ingest()
            .await
            .append(request)
            .await
            .unwrap()
            .into_inner();
        assert!(
            done.outcomes
                .iter()
                .all(|outcome| matches!(outcome.result, Some(pb::outcome::Result::Recorded(_)))),
            "{done:?}"
        );
        done.position
    }

    /// Tells the server to end without waiting for it.
    pub(crate) fn tell(self) -> (JoinHandle<Result<(), ServeError>>, TempDir) {
        self.stop.send(()).unwrap();
        (self.task, self.folder)
    }

    /// Ends the server in good order.
    pub(crate) async fn end(self) -> TempDir {
        let (task, folder) = self.tell();
        let ended = tokio::time::timeout(Duration::from_secs(20), task).await;
        ended.expect("the server ends").unwrap().unwrap();
        folder
    }
}

pub(crate) fn apply(content: &str) -> pb::ApplyPlantRequest {
    pb::ApplyPlantRequest {
        parent: TENANT.into(),
        file_name: "plant.toml".into(),
        content: content.into(),
        validate_only: false,
        who: "anna".into(),
        why: "a test".into(),
        ..pb::ApplyPlantRequest::default()
    }
}

pub(crate) fn open(source: &str) -> pb::OpenSourceRequest {
    pb::OpenSourceRequest {
        parent: PLANT.into(),
        source: source.into(),
        source_kind: pb::SourceKind::Live.into(),
        machines: vec!["press-1".into()],
        ..Default::default()
    }
}

pub(crate) fn append(session: u64, events: Vec<Bytes>) -> pb::AppendRequest {
    pb::AppendRequest {
        session,
        events,
        ..Default::default()
    }
}

/// The machine does something, some minutes ago in the order of the numbers.
pub(crate) fn state(sequence: u64, machine: u32, to: State) -> Bytes {
    let body = Body::StateChanged(StateChanged {
        to,
        native: "X".into(),
        vocabulary: Vocabulary::Canonical,
        ..StateChanged::default()
    });
    event(sequence, machine, body)
}

pub(crate) fn event(sequence: u64, machine: u32, body: Body<'_>) -> Bytes {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let start = i64::try_from(since.as_nanos()).unwrap() - 300_000_000_000;
    let time = Timestamp(start + i64::try_from(sequence).unwrap() * 1_000);
    encode_reported(&Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(machine),
        occurred_at: time,
        observed_at: Some(time),
        historical: false,
        body,
    })
    .into()
}

pub(crate) fn reason(status: &Status) -> Reason {
    Reason::of(status).unwrap_or_else(|| panic!("a status without a reason: {status:?}"))
}
