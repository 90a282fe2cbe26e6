//! What a screen may show, and nothing else.

use super::certificate::{ClientCertificate, HolderKind, Unusable};
use super::client::{Blocked, Client, Part};
use super::event::{CancelledBy, ConsentText};
use super::failure::Failure;
use super::session::{EnrolmentStage, Key, Patience, Run, ServiceWindow, Session, Texts, Way};
use crate::Timestamp;
use crate::wire::{CertificateView, Custody, CustodySource, SignatureFormat};

/// One variant per [`super::Step`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/flow.md describes each")]
pub enum View {
    Idle,
    Resolving {
        document: DocumentShown,
    },
    Offer {
        document: DocumentShown,
        ways: Vec<Way>,
        preselected: Option<Way>,
        sources: Vec<CustodySource>,
        certain: bool,
    },
    Consent {
        document: DocumentShown,
        texts: Vec<ConsentText>,
    },
    Enrolling {
        document: DocumentShown,
        stage: EnrolmentStage,
        slow: bool,
    },
    Stored {
        document: DocumentShown,
        certificate: CertificateShown,
    },
    Probing {
        document: DocumentShown,
    },
    Absent {
        document: DocumentShown,
        provisional: bool,
    },
    Outdated {
        document: DocumentShown,
        part: Part,
        installed: Option<String>,
        required: &'static str,
    },
    Blocked {
        document: DocumentShown,
        reason: Blocked,
    },
    Unsupported {
        document: DocumentShown,
    },
    Lost {
        document: DocumentShown,
    },
    Listing {
        document: DocumentShown,
        slow: bool,
    },
    NoCertificate {
        document: DocumentShown,
    },
    Choosing {
        document: DocumentShown,
        certificates: Vec<CertificateChoice>,
    },
    Confirming {
        document: DocumentShown,
        custody: Custody,
        certificate: Option<CertificateShown>,
        service: Option<String>,
        refused_in_client: bool,
        may_choose_another: bool,
        may_use_local: bool,
    },
    Preparing {
        document: DocumentShown,
        custody: Custody,
    },
    Redirecting {
        document: DocumentShown,
        service: String,
    },
    WaitingApproval {
        document: DocumentShown,
        service: String,
        window: ServiceWindow,
        expires_at: Timestamp,
    },
    Authorizing {
        document: DocumentShown,
        certificate: CertificateShown,
        since: Timestamp,
        patience: Patience,
        waits_for_previous: bool,
    },
    Signing {
        document: DocumentShown,
        custody: Custody,
        certificate: Option<CertificateShown>,
    },
    Finishing {
        document: DocumentShown,
        custody: Custody,
    },
    Done {
        document: DocumentShown,
        custody: Custody,
        certificate: Option<CertificateShown>,
        result: ResultShown,
    },
    Cancelled {
        by: CancelledBy,
        abandoned: bool,
    },
    Failed {
        failure: Failure,
    },
}

/// The document of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentShown {
    /// File name.
    pub name: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Kind of artefact wanted.
    pub format: SignatureFormat,
    /// SHA-256, lower-case hexadecimal; absent until the document was read.
    pub sha256: Option<String>,
}

/// A certificate on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateShown {
    /// Common name of the holder.
    pub holder: String,
    /// Masked CPF or CNPJ.
    pub identifier_masked: Option<String>,
    /// Person, company or seal.
    pub kind: HolderKind,
    /// Common name of the issuer.
    pub issuer: String,
    /// `A1`, `A3`, `SE-S`, …
    pub icp_type: Option<String>,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
}

/// A certificate in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateChoice {
    /// What [`super::Action::Choose`] takes.
    pub id: String,
    /// What is shown.
    pub certificate: CertificateShown,
    /// Why it cannot be chosen.
    pub unusable: Option<Unusable>,
    /// Ends within 30 days.
    pub expires_soon: bool,
    /// Names a policy or holder of ICP-Brasil.
    pub is_icp_brasil: bool,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultShown {
    /// `sig_…`
    pub signature_id: String,
    /// Proposed file name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// Time of release, by the clock of the service: not a proof of time.
    pub released_at: Timestamp,
}

impl View {
    pub(super) fn of(session: &Session, client: &Client) -> Self {
        match session {
            Session::Idle => Self::Idle,
            Session::Resolving(state) => {
                let job = &state.job;
                let document = DocumentShown {
                    name: job.name.clone(),
                    size_bytes: job.size_bytes,
                    format: job.format,
                    sha256: None,
                };
                Self::Resolving { document }
            }
            Session::Offering(state) => Self::Offer {
                document: document(&state.run),
                ways: state.run.ways.list.clone(),
                preselected: state.run.ways.preselected.clone(),
                sources: state.run.ways.sources.clone(),
                certain: state.run.ways.certain,
            },
            Session::Consenting(state) => Self::Consent {
                document: document(&state.run),
                texts: match &state.texts {
                    Texts::Awaited(_) => Vec::new(),
                    Texts::Here(texts) => texts.clone(),
                },
            },
            Session::Enrolling(state) => {
                Self::Enrolling { document: document(&state.run), stage: state.stage(), slow: state.slow }
            }
            Session::Stored(state) => Self::Stored {
                document: document(&state.run),
                certificate: CertificateShown::from(&*state.certificate),
            },
            Session::Redirecting(state) => {
                Self::Redirecting { document: document(&state.run), service: state.service.clone() }
            }
            Session::Approving(state) => Self::WaitingApproval {
                document: document(&state.run),
                service: state.service.clone(),
                window: state.window(),
                expires_at: state.expires_at,
            },
            Session::Connecting(state) => Self::of_client(client, document(&state.run)),
            Session::Listing(state) => Self::Listing { document: document(&state.run), slow: state.slow },
            Session::NoCertificate(state) => Self::NoCertificate { document: document(&state.run) },
            Session::Choosing(state) => Self::Choosing {
                document: document(&state.run),
                certificates: state.certificates.iter().map(CertificateChoice::from).collect(),
            },
            Session::Confirming(state) => Self::Confirming {
                document: document(&state.run),
                custody: state.key.custody(),
                certificate: certificate(&state.key),
                service: match &state.key {
                    Key::Cloud(service) => Some(service.clone()),
                    Key::Hsm(_) | Key::Local(_) => None,
                },
                refused_in_client: state.refused_in_client,
                may_choose_another: state.key.custody() == Custody::Local,
                may_use_local: state.may_use_local,
            },
            Session::Preparing(state) => {
                Self::Preparing { document: document(&state.run), custody: state.key.custody() }
            }
            Session::Authorizing(state) => Self::Authorizing {
                document: document(&state.run),
                certificate: CertificateShown::from(&state.key.chosen),
                since: state.since,
                patience: state.patience,
                waits_for_previous: !state.is_asked(),
            },
            Session::Signing(state) => Self::Signing {
                document: document(&state.run),
                custody: state.key.custody(),
                certificate: certificate(&state.key),
            },
            Session::Finishing(state) => {
                Self::Finishing { document: document(&state.run), custody: state.key.custody() }
            }
            Session::Done(state) => Self::Done {
                document: document(&state.run),
                custody: state.key.custody(),
                certificate: certificate(&state.key),
                result: ResultShown {
                    signature_id: state.signature_id.clone(),
                    name: state.artefact.name.clone(),
                    media_type: state.artefact.media_type.clone(),
                    size_bytes: state.artefact.size_bytes,
                    sha256: state.artefact.sha256.clone(),
                    released_at: state.artefact.released_at,
                },
            },
            Session::Cancelled(state) => Self::Cancelled { by: state.by, abandoned: state.abandoned },
            Session::Failed(state) => Self::Failed { failure: state.failure },
        }
    }

    fn of_client(client: &Client, document: DocumentShown) -> Self {
        match client {
            Client::Unknown | Client::Probing(_) | Client::Ready => Self::Probing { document },
            Client::Absent(state) => Self::Absent { document, provisional: state.provisional },
            Client::Outdated(state) => Self::Outdated {
                document,
                part: state.part,
                installed: state.installed.clone(),
                required: state.required,
            },
            Client::Blocked(state) => Self::Blocked { document, reason: state.reason },
            Client::Unsupported => Self::Unsupported { document },
            Client::Lost => Self::Lost { document },
        }
    }
}

fn document(run: &Run) -> DocumentShown {
    DocumentShown {
        name: run.job.name.clone(),
        size_bytes: run.job.size_bytes,
        format: run.job.format,
        sha256: Some(run.document.sha256.clone()),
    }
}

/// The certificate of the key, unless it is at a service, which tells it with the signature only.
fn certificate(key: &Key) -> Option<CertificateShown> {
    match key {
        Key::Local(key) => Some(CertificateShown::from(&key.chosen)),
        Key::Hsm(view) => Some(CertificateShown::from(&**view)),
        Key::Cloud(_) => None,
    }
}

impl From<&CertificateView> for CertificateShown {
    fn from(view: &CertificateView) -> Self {
        Self {
            holder: view.holder.name.clone(),
            identifier_masked: view.holder.identifier_masked.clone(),
            kind: HolderKind::of(view.icp_type.as_deref(), view.holder.identifier_masked.as_deref()),
            issuer: view.issuer.clone(),
            icp_type: view.icp_type.clone(),
            not_before: view.not_before,
            not_after: view.not_after,
        }
    }
}

impl From<&ClientCertificate> for CertificateShown {
    fn from(certificate: &ClientCertificate) -> Self {
        let listed = &certificate.listed;
        Self {
            holder: listed.holder.name.clone(),
            identifier_masked: listed.holder.identifier_masked.clone(),
            kind: listed.kind,
            issuer: listed.issuer.clone(),
            icp_type: listed.icp_type.clone(),
            not_before: listed.not_before,
            not_after: listed.not_after,
        }
    }
}

impl From<&ClientCertificate> for CertificateChoice {
    fn from(certificate: &ClientCertificate) -> Self {
        Self {
            id: certificate.listed.thumbprint.clone(),
            certificate: certificate.into(),
            unusable: certificate.unusable,
            expires_soon: certificate.expires_soon,
            is_icp_brasil: certificate.listed.is_icp_brasil,
        }
    }
}
