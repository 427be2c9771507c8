//! Puts the services together: ours, health, reflection of both versions, gRPC-Web, with limits.

use crate::context::Context;
use crate::front::FrontLayer;
use crate::gate::GateLayer;
use crate::limits::{
    ANSWER_BYTES_MAX, CONNECTION_STREAMS_MAX, CONNECTION_WINDOW, HEADER_BYTES_MAX, KEEPALIVE,
    PENDING_RESETS_MAX, PLANT_BYTES_MAX, STREAM_WINDOW,
};
use crate::rpc;
use std::sync::Arc;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_reflection::server::{Builder, Error};
use tonic_web::GrpcWebLayer;
use tower::layer::util::{Identity, Stack};
use werkbuch_engine::limits::MESSAGE_BYTES_MAX;
use werkbuch_wire::pb::admin_service_server::AdminServiceServer;
use werkbuch_wire::pb::history_service_server::HistoryServiceServer;
use werkbuch_wire::pb::ingest_service_server::IngestServiceServer;
use werkbuch_wire::pb::model_service_server::ModelServiceServer;
use werkbuch_wire::pb::quality_service_server::QualityServiceServer;
use werkbuch_wire::pb::rule_service_server::RuleServiceServer;
use werkbuch_wire::pb::simulation_service_server::SimulationServiceServer;
use werkbuch_wire::pb::table_service_server::TableServiceServer;
use werkbuch_wire::pb::timeline_service_server::TimelineServiceServer;
use werkbuch_wire::pb::twin_service_server::TwinServiceServer;
use werkbuch_wire::pb::wip_service_server::WipServiceServer;

/// The layers: plain pages outside, then gRPC-Web, then the gate.
type Layers = Stack<GateLayer, Stack<GrpcWebLayer, Stack<FrontLayer, Identity>>>;

/// The server with its layers.
pub(crate) type Services = Router<Layers>;

/// The service that stops serving when the log cannot be written.
pub(crate) const INGEST: &str = <IngestServiceServer<rpc::Ingest> as NamedService>::NAME;

/// What health calls it that every plant answers.
pub(crate) const PLANTS: &str = "werkbuch.v1.plants";

/// The names of our services.
pub(crate) const NAMES: [&str; 11] = [
    INGEST,
    <ModelServiceServer<rpc::Model> as NamedService>::NAME,
    <TwinServiceServer<rpc::Twins> as NamedService>::NAME,
    <HistoryServiceServer<rpc::History> as NamedService>::NAME,
    <QualityServiceServer<rpc::Qualities> as NamedService>::NAME,
    <WipServiceServer<rpc::Wips> as NamedService>::NAME,
    <TimelineServiceServer<rpc::Timelines> as NamedService>::NAME,
    <RuleServiceServer<rpc::Rules> as NamedService>::NAME,
    <TableServiceServer<rpc::Tables> as NamedService>::NAME,
    <SimulationServiceServer<rpc::Simulations> as NamedService>::NAME,
    <AdminServiceServer<rpc::Admin> as NamedService>::NAME,
];

/// All descriptor sets: reflection knows only those that it is given.
const DESCRIPTORS: [&[u8]; 4] = [
    werkbuch_wire::DESCRIPTOR_SET,
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
];

macro_rules! bounded {
    ($server:ident, $service:expr) => {
        $server::new($service)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(ANSWER_BYTES_MAX)
    };
}

/// All services. Errors: a descriptor set that cannot be read.
pub(crate) fn services<H: Health>(
    context: &Arc<Context>,
    health: HealthServer<H>,
) -> Result<Services, Error> {
    let shared = || Arc::clone(context);
    let router = server(context)
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .add_service(bounded!(IngestServiceServer, rpc::Ingest(shared())))
        .add_service(
            ModelServiceServer::new(rpc::Model(shared()))
                .max_decoding_message_size(PLANT_BYTES_MAX)
                .max_encoding_message_size(PLANT_BYTES_MAX),
        )
        .add_service(bounded!(TwinServiceServer, rpc::Twins(shared())))
        .add_service(bounded!(HistoryServiceServer, rpc::History(shared())))
        .add_service(bounded!(QualityServiceServer, rpc::Qualities(shared())))
        .add_service(bounded!(WipServiceServer, rpc::Wips(shared())))
        .add_service(bounded!(TimelineServiceServer, rpc::Timelines(shared())))
        .add_service(bounded!(RuleServiceServer, rpc::Rules(shared())))
        .add_service(bounded!(TableServiceServer, rpc::Tables(shared())))
        .add_service(bounded!(
            SimulationServiceServer,
            rpc::Simulations(shared())
        ))
        .add_service(bounded!(AdminServiceServer, rpc::Admin(shared())));
    Ok(router)
}

fn server(context: &Arc<Context>) -> Server<Layers> {
    let (interval, time) = KEEPALIVE;
    Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(CONNECTION_STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(Some(interval))
        .http2_keepalive_timeout(Some(time))
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS_MAX))
        .layer(FrontLayer::new(Arc::clone(context)))
        .layer(GrpcWebLayer::new())
        .layer(GateLayer::new(context))
}

fn reflection() -> Builder<'static> {
    let builder = Builder::configure().include_reflection_service(false);
    DESCRIPTORS
        .into_iter()
        .fold(builder, Builder::register_encoded_file_descriptor_set)
}
