//! The way to a server.

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use http::{Request, StatusCode, Uri};
use http_body_util::BodyExt;
use std::error::Error;
use std::future::poll_fn;
use std::time::{Duration, Instant};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::transport::{Channel, Endpoint};
use werkbuch_model::id::PlantId;
use werkbuch_wire::name;
use werkbuch_wire::pb::GetPlantRequest;
use werkbuch_wire::pb::admin_service_client::AdminServiceClient;
use werkbuch_wire::pb::history_service_client::HistoryServiceClient;
use werkbuch_wire::pb::model_service_client::ModelServiceClient;
use werkbuch_wire::pb::quality_service_client::QualityServiceClient;
use werkbuch_wire::pb::rule_service_client::RuleServiceClient;
use werkbuch_wire::pb::simulation_service_client::SimulationServiceClient;
use werkbuch_wire::pb::table_service_client::TableServiceClient;
use werkbuch_wire::pb::timeline_service_client::TimelineServiceClient;
use werkbuch_wire::pb::twin_service_client::TwinServiceClient;
use werkbuch_wire::pb::wip_service_client::WipServiceClient;
use werkbuch_wire::reason::{Reason, retry_delay_of};

/// The greatest answer that is taken: a page of the largest events, or of the most machines.
const ANSWER_BYTES_MAX: usize = 512 * 1024 * 1024;

/// A connection to a server, from which the clients of its services are made.
#[derive(Clone, Debug)]
pub(crate) struct Client(Channel);

impl Client {
    /// Connects. Errors: the address is none, or nobody answers there.
    pub(crate) async fn connect(server: &str) -> Outcome<Self> {
        let endpoint = endpoint(server)?;
        let endpoint = endpoint
            .connect_timeout(Duration::from_secs(5))
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20))
            .tcp_nodelay(true);
        match endpoint.connect().await {
            Ok(channel) => Ok(Self(channel)),
            Err(error) => {
                let cause = innermost(&error);
                let what = format!("no server answers at {server}: {cause}");
                Err(Failure::new(Exit::Unavailable, "SERVER_UNREACHABLE", what)
                    .hint("start one with `werkbuch serve`, or name another with --server"))
            }
        }
    }

    pub(crate) fn channel(&self) -> Channel {
        self.0.clone()
    }

    /// Waits while a plant is being folded from its log after a start of the server, so that what
    /// follows need not be tried again. Errors: it takes longer than the patience.
    pub(crate) async fn until_back(&self, plant: &PlantId, patience: Duration) -> Outcome<()> {
        let begin = Instant::now();
        loop {
            let request = GetPlantRequest {
                name: name::of_plant(plant.as_str()),
                ..Default::default()
            };
            let status = match self.model().get_plant(request).await {
                Err(status) if Reason::of(&status) == Some(Reason::PlantRecovering) => status,
                // Whatever else is wrong is said by the first thing that is wanted.
                _ => return Ok(()),
            };
            let pause = retry_delay_of(&status).unwrap_or(Duration::from_secs(1));
            if begin.elapsed() + pause > patience {
                return Err(status.into());
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// A plain page of the server. Errors: it cannot be read, or the server answers with another
    /// status than 200.
    pub(crate) async fn page(&self, path: &'static str) -> Outcome<String> {
        let failed = |error: &dyn Error| {
            let what = format!("{path} could not be read: {}", innermost(error));
            Failure::new(Exit::Unavailable, "PAGE_UNREADABLE", what)
        };
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = Uri::from_static(path);
        let mut channel = self.channel();
        poll_fn(|cx| Service::poll_ready(&mut channel, cx))
            .await
            .map_err(|error| failed(&error))?;
        let answer = Service::call(&mut channel, request).await;
        let answer = answer.map_err(|error| failed(&error))?;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| failed(&error))?.to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        if status != StatusCode::OK {
            let what = format!(
                "the server answers {status} for {path}: {}",
                text.trim_end()
            );
            return Err(Failure::new(Exit::Unavailable, "PAGE_REFUSED", what));
        }
        Ok(text)
    }

    pub(crate) fn simulation(&self) -> SimulationServiceClient<Channel> {
        SimulationServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.channel())
    }

    pub(crate) fn model(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel())
            .max_decoding_message_size(ANSWER_BYTES_MAX)
            .max_encoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn twin(&self) -> TwinServiceClient<Channel> {
        TwinServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn quality(&self) -> QualityServiceClient<Channel> {
        QualityServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn wip(&self) -> WipServiceClient<Channel> {
        WipServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn timeline(&self) -> TimelineServiceClient<Channel> {
        TimelineServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn table(&self) -> TableServiceClient<Channel> {
        TableServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn rule(&self) -> RuleServiceClient<Channel> {
        RuleServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn history(&self) -> HistoryServiceClient<Channel> {
        HistoryServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }
}

/// Where a server is. Errors: the text is no address.
pub(crate) fn endpoint(server: &str) -> Outcome<Endpoint> {
    let url = if server.contains("://") {
        server.to_owned()
    } else {
        format!("http://{server}")
    };
    Endpoint::from_shared(url).map_err(|error| {
        Failure::usage(format!(
            "\"{server}\" is not the address of a server: {error}"
        ))
        .hint("write it like http://127.0.0.1:7420")
    })
}

/// The cause that says most: transport errors wrap the system's.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
