//! `rubrica demo`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use rubrica_core::ErrorCode;
use serde_json::json;

use super::output::Output;
use crate::app::Role;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::demo::stand_ins::StandIns;
use crate::demo::{DemoFiles, USUAL_PORT, authorities, create, endpoints, proof};
use crate::failure::Failure;
use crate::http::router::Extras;
use crate::http::server;
use crate::http::site::Site;
use crate::roles::Roles;
use crate::{serving, telemetry};

/// Options of `demo`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Port on this machine; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = USUAL_PORT)]
    port: u16,
    /// Data folder; made at the first start.
    #[arg(long, value_name = "DIR", default_value = "demo-data")]
    data: PathBuf,
    /// Folder of the built portal.
    #[arg(long, value_name = "DIR", default_value = "demo-site/dist")]
    site: PathBuf,
    /// Folder of the stand-ins for cloud services; needs Node.
    #[arg(long, value_name = "DIR", default_value = "tests/cloud-stand-ins")]
    stand_ins: PathBuf,
}

/// Makes the data folder at the first start, signs a sample, serves until a signal.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<ExitCode, Failure> {
    let folder = DataFolder::open_or_create(&arguments.data, create::fill)?;
    let files = DemoFiles::new(folder.root());
    if !files.config().exists() {
        return Err(Failure::of(
            ErrorCode::DataFolderUnknown,
            format!("{} is the data folder of an instance, not of a demo", arguments.data.display()),
        ));
    }
    files.refresh(folder.root(), if arguments.port == 0 { USUAL_PORT } else { arguments.port })?;
    let mut config = Config::load(Some(&files.config()))?;
    config.server.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    telemetry::start(&config.log);
    // They end when this value does.
    let _stand_ins = StandIns::start(&files, &arguments.stand_ins, &mut config)?;
    serving::runtime().block_on(serve(config, &folder, &files, &arguments.site, output))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(
    mut config: Config,
    folder: &DataFolder,
    files: &DemoFiles,
    site: &Path,
    output: Output,
) -> Result<(), Failure> {
    let listener = server::bind(config.server.listen).await?;
    let _lock = folder.lock()?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::of(ErrorCode::Internal, format!("the listener has no address: {error}")))?;
    files.refresh(folder.root(), address.port())?;
    files.reach_authorities(&mut config, address.port());
    let services: Vec<_> = config.lacuna.services.iter().map(|service| service.name.clone()).collect();
    let app = serving::open(config, folder, Role::Server(Roles::ALL))?;
    let proof = proof::sign_sample(&app).await?;
    let routes =
        endpoints::routes(files, address)?.merge(authorities::routes(files, Arc::clone(&app.clock))?);
    let extras = Extras { routes, site: site.is_dir().then(|| Site::new(site)) };
    let url = format!("http://localhost:{}", address.port());
    let told = json!({ "proof": proof, "url": url, "data": folder.root(), "cloud_services": services });
    output.result(&told, || {
        let portal = if extras.site.is_some() { "" } else { " (API only: the portal is not built)" };
        let cloud = match services.join(", ") {
            names if names.is_empty() => String::new(),
            names => format!("Cloud services, stand-ins (TEST): {names}\n"),
        };
        format!("{proof}\n{cloud}Rubrica demo: {url}{portal}\n")
    });
    serving::serve(app, listener, extras, Roles::ALL).await
}
