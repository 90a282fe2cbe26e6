//! From a configuration to a server that answers, and to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::adapters::clock::SystemClock;
use crate::adapters::pkcs11::{Pkcs11Keys, Settings};
use crate::app::{App, Role};
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::engine;
use crate::failure::Failure;
use crate::http::router::{self, Extras};
use crate::http::server;
use crate::ports::KeyStore;
use crate::relay;
use crate::roles::Roles;
use crate::trust::Trust;

/// Opens the ports of an instance and puts it together.
pub(crate) fn open(config: Config, folder: &DataFolder, role: Role) -> Result<Arc<App>, Failure> {
    let trust = Trust::load(&config.trust)?;
    let signs = !matches!(role, Role::Server(Roles { engine: false, .. }));
    let keys: Option<Arc<dyn KeyStore>> = if signs && config.token.is_configured() {
        let settings = Settings::from_config(&config)?;
        let settings = if role == Role::Beside { settings.with_one_agent() } else { settings };
        Some(Arc::new(Pkcs11Keys::open(settings)?))
    } else {
        None
    };
    App::open(config, trust, folder, role, Arc::new(SystemClock), keys).map(Arc::new)
}

/// Serves until a signal, then ends in order: no new requests, running ones finish, the engine comes to rest.
///
/// A process without the role `edge` listens too, for questions about its health.
pub(crate) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    extras: Extras,
    roles: Roles,
) -> Result<(), Failure> {
    let engine = engine::run(&app, roles).await.map_err(|error| error.on_open("the database"))?;
    let relay = relay::run(&app, roles).await?;
    let mut signals = server::StopSignals::listen();
    // Not before: whoever reads this line may rely on it.
    if let Ok(address) = listener.local_addr() {
        tracing::info!(server.address = %address, %roles, "serving");
    }
    let router = if roles.edge { router::build(&app, extras) } else { router::health(&app) };
    let stop = async {
        signals.next().await;
        tracing::info!("stopping");
        app.stopping.send_replace(true);
        // Whoever asks twice is not kept waiting.
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(130);
        });
    };
    server::serve(listener, router, &app.config.server, stop).await;
    let grace = Duration::from_millis(app.config.server.shutdown_grace_ms);
    engine.stop(grace).await;
    relay.stop(grace).await;
    Ok(())
}

/// The runtime of the HTTP side.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the system can start the runtime")
}
