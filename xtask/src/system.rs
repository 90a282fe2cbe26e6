//! What the operating system has to provide, and how to get it.

use std::path::Path;
use std::process::Command;

use crate::process::{Outcome, answers, execute, find_in_path};

/// Something from the system's package manager.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    /// What a person calls it.
    name: &'static str,
    apt: &'static str,
    dnf: &'static str,
    brew: &'static str,
    present: fn() -> bool,
}

/// A C compiler: SQLite and the software-key cryptography are compiled from source.
pub(crate) const C_COMPILER: Package = Package {
    name: "C compiler",
    apt: "gcc libc6-dev",
    dnf: "gcc",
    brew: "gcc",
    present: || find_in_path("cc").is_some(),
};

/// A C++ compiler: libFuzzer is compiled from source.
pub(crate) const CXX_COMPILER: Package = Package {
    name: "C++ compiler",
    apt: "g++",
    dnf: "gcc-c++",
    brew: "gcc",
    present: || find_in_path("c++").is_some(),
};

/// The software token of demo and tests.
pub(crate) const SOFTHSM: Package = Package {
    name: "SoftHSM2",
    apt: "softhsm2",
    dnf: "softhsm",
    brew: "softhsm",
    present: || std::env::var_os("RUBRICA_PKCS11_MODULE").is_some() || softhsm_module().is_some(),
};

/// The production database; the tests start a server of their own from its programs.
const POSTGRESQL: Package = Package {
    name: "PostgreSQL",
    apt: "postgresql",
    dnf: "postgresql-server",
    brew: "postgresql",
    present: || Path::new("/usr/lib/postgresql").is_dir() || find_in_path("initdb").is_some(),
};

/// `pkcs11-tool`: looks into the token from outside.
const OPENSC: Package = Package {
    name: "OpenSC",
    apt: "opensc",
    dnf: "opensc",
    brew: "opensc",
    present: || find_in_path("pkcs11-tool").is_some(),
};

/// Moves the wall clock of a process.
const FAKETIME: Package = Package {
    name: "libfaketime",
    apt: "faketime",
    dnf: "libfaketime",
    brew: "libfaketime",
    present: || find_in_path("faketime").is_some(),
};

const OPENSSL: Package = Package {
    name: "openssl",
    apt: "openssl",
    dnf: "openssl",
    brew: "openssl",
    present: || find_in_path("openssl").is_some(),
};

const PDFSIG: Package = Package {
    name: "pdfsig",
    apt: "poppler-utils",
    dnf: "poppler-utils",
    brew: "poppler",
    present: || find_in_path("pdfsig").is_some(),
};

const QPDF: Package = Package {
    name: "qpdf",
    apt: "qpdf",
    dnf: "qpdf",
    brew: "qpdf",
    present: || find_in_path("qpdf").is_some(),
};

/// Info-ZIP: what it makes of our archives is what most people will see.
const UNZIP: Package = Package {
    name: "unzip",
    apt: "unzip",
    dnf: "unzip",
    brew: "unzip",
    present: || find_in_path("unzip").is_some(),
};

/// Python with its `venv` module: pyHanko and certomancer run in a folder of their own.
const PYTHON: Package = Package {
    name: "Python 3 with venv",
    apt: "python3 python3-venv",
    dnf: "python3",
    brew: "python",
    present: || answers("python3", &["-c", "import ensurepip, venv"]),
};

/// With a font: a bare machine has none, and text without glyphs has no size.
const CHROMIUM: Package = Package {
    name: "Chromium",
    apt: "chromium fonts-liberation",
    dnf: "chromium",
    brew: "--cask chromium",
    present: || chromium().is_some(),
};

/// Drives Chromium for the WebAssembly tests; must come from the same release as Chromium.
const CHROMEDRIVER: Package = Package {
    name: "ChromeDriver",
    apt: "chromium-driver",
    dnf: "chromedriver",
    brew: "--cask chromedriver",
    present: || find_in_path("chromedriver").is_some(),
};

/// What `cargo xtask demo` needs.
pub(crate) const FOR_DEMO: &[Package] = &[C_COMPILER, SOFTHSM];

/// What `cargo xtask test` needs.
pub(crate) const FOR_TESTS: &[Package] = &[
    C_COMPILER,
    SOFTHSM,
    OPENSC,
    POSTGRESQL,
    FAKETIME,
    OPENSSL,
    PDFSIG,
    QPDF,
    UNZIP,
    PYTHON,
    CHROMIUM,
    CHROMEDRIVER,
];

/// Where distributions put SoftHSM's PKCS#11 module.
pub(crate) fn softhsm_module() -> Option<&'static str> {
    const PLACES: &[&str] = &[
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
        "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    ];
    PLACES.iter().copied().find(|place| Path::new(place).is_file())
}

/// The browser that the tests drive.
pub(crate) fn chromium() -> Option<std::path::PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| find_in_path(name))
}

/// Installs what is missing when the package manager may be used without a question;
/// else names the exact line to run.
pub(crate) fn ensure(packages: &[Package]) -> Outcome<()> {
    let missing: Vec<&Package> = packages.iter().filter(|package| !(package.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|package| package.name).collect::<Vec<_>>().join(", ");
    println!("missing: {names}");
    let line =
        |pick: fn(&Package) -> &'static str| missing.iter().map(|p| pick(p)).collect::<Vec<_>>().join(" ");
    if find_in_path("apt-get").is_some() {
        apt(&line(|p| p.apt))?;
    } else if find_in_path("dnf").is_some() {
        return Err(ask(&names, &format!("sudo dnf install -y {}", line(|p| p.dnf))));
    } else if find_in_path("brew").is_some() {
        return Err(ask(&names, &format!("brew install {}", line(|p| p.brew))));
    } else {
        return Err(format!("{names} must be installed by hand: no apt-get, dnf or brew was found").into());
    }
    match missing.iter().find(|package| !(package.present)()) {
        None => Ok(()),
        Some(package) => Err(format!("{} was installed but cannot be found", package.name).into()),
    }
}

fn apt(packages: &str) -> Outcome<()> {
    let root = crate::process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let prefix: &[&str] = if root {
        &[]
    } else if answers("sudo", &["-n", "true"]) {
        &["sudo", "-n"]
    } else {
        return Err(ask(packages, &format!("sudo apt-get install -y --no-install-recommends {packages}")));
    };
    let apt_get = |arguments: &[&str]| {
        let words: Vec<&str> =
            prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(arguments);
        command
    };
    execute(&mut apt_get(&["-qq", "update"]))?;
    let mut install = vec!["-qq", "install", "-y", "--no-install-recommends"];
    install.extend(packages.split(' '));
    // A mirror that stumbles over one of a hundred packages leaves the rest unconfigured: `-f` goes on from there.
    execute(&mut apt_get(&install)).or_else(|_| {
        execute(&mut apt_get(&["-qq", "install", "-y", "-f"]))?;
        execute(&mut apt_get(&install))
    })
}

fn ask(names: &str, line: &str) -> crate::process::Failure {
    format!("{names} is missing and cannot be installed without your password. Run this line, then try again:\n\n    {line}\n")
        .into()
}
