//! Messages of the Web PKI client and of the service, and any order of them.

use rubrica_core::ErrorCode;
use rubrica_core::digest::{Digest, Sha256Stream};
use rubrica_core::flow::{
    Action, AuthorizationProgress, AuthorizationSeen, CallId, CancelledBy, ClientEntry, ConsentText,
    DocumentRead, Effect, EnrolmentProgress, EnrolmentSeen, Event, Flow, Initialized, Job, ListedCertificate,
    Platform, Query, Reply, Resolved, SignatureSeen, Timer, Way, WindowEnd, protocol,
};
use rubrica_core::to_sign::{self, Agreed};
use rubrica_core::wire::{Custody, CustodyOffer, Signature, SignatureFormat, ToSign};

use crate::now;

/// First byte 0: what a service asks to sign. 1: a certificate as a client describes it. Else: a run of events.
pub fn client_messages(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    match kind {
        0 => asked_to_sign(data),
        1 => listed(data),
        _ => run(data),
    }
}

fn asked_to_sign(data: &[u8]) {
    let Ok(asked) = serde_json::from_slice::<ToSign>(data) else { return };
    let mut document = Sha256Stream::new();
    document.update(b"%PDF-1.7 TEST");
    for format in [SignatureFormat::Pades, SignatureFormat::Cades] {
        let agreed = Agreed { document: &document, format, certificate_sha256: &[0; 32] };
        let _ = to_sign::check(&asked, &agreed);
    }
}

/// Lines: thumbprint, subject, issuer, CPF, CNPJ, type, then policies.
fn listed(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or("");
    let (thumbprint, subject_name, issuer_name) = (line(), line(), line());
    let [cpf, cnpj, certificate_type] =
        [line(), line(), line()].map(|text| Some(text).filter(|t| !t.is_empty()));
    let policies: Vec<String> = lines.map(str::to_owned).collect();
    let listed = ListedCertificate::read(&ClientEntry {
        thumbprint,
        subject_name,
        issuer_name,
        cpf,
        cnpj,
        certificate_type,
        policies: &policies,
        key_usage: 128,
        not_before: now(),
        not_after: now(),
    });
    for number in [cpf, cnpj].into_iter().flatten().filter(|number| number.len() >= 11) {
        assert_ne!(listed.holder.identifier_masked.as_deref(), Some(number), "numbers are masked");
    }
    let _ = (protocol::error_code(subject_name), protocol::is_older(subject_name, issuer_name));
}

/// Events one after another; each answer goes to a call that is still open, or to one that never was.
fn run(data: &[u8]) {
    let mut flow = Flow::new(if data.len() % 2 == 0 { Platform::Desktop } else { Platform::Mobile });
    let mut open: Vec<CallId> = Vec::new();
    let mut rest = data;
    while let [kind, detail, after @ ..] = rest {
        rest = after;
        let text = String::from_utf8_lossy(&after[..after.len().min(usize::from(*detail % 32))]).into_owned();
        let event = match kind % 9 {
            0 | 1 => Event::Act(action(*detail, text)),
            2 => Event::Timer(Timer::ALL[usize::from(*detail) % Timer::ALL.len()]),
            3 => Event::MarkerFound,
            4 => Event::PageVisible,
            5 => Event::CameBack { query: Query(text) },
            _ => {
                let Some(call) = open.pop() else { continue };
                Event::Answer { call, result: reply(*detail, text) }
            }
        };
        let before = flow.step();
        match flow.clone().handle(event, now()) {
            Ok((next, effects)) => {
                open.extend(effects.iter().filter_map(Effect::call));
                flow = next;
                let _ = (flow.step().as_str(), flow.view());
            }
            Err(refusal) => {
                assert_eq!(refusal.step, before, "a refusal names the step it leaves");
            }
        }
    }
}

fn action(detail: u8, text: String) -> Action {
    match detail % 15 {
        0 => Action::Start(Job {
            name: text,
            size_bytes: u64::from(detail),
            format: if detail & 0x80 == 0 { SignatureFormat::Pades } else { SignatureFormat::Cades },
            remembered: None,
        }),
        1 => Action::Choose { thumbprint: "t1".to_owned(), remember: detail & 0x80 != 0 },
        2 => Action::Confirm,
        3 => Action::Back,
        4 => Action::UseLocal,
        5 => Action::Refresh,
        6 => Action::KeepWaiting,
        7 => Action::Cancel(CancelledBy::User),
        8 => Action::Retry,
        9 => Action::Take(match detail / 15 % 3 {
            0 => Way::Enrol,
            1 => Way::Device,
            _ => Way::Service("TestCloud".to_owned()),
        }),
        10 => Action::OtherWay,
        11 => Action::Agree { text_sha256: Digest::sha256(text.as_bytes()).to_hex() },
        12 => Action::Continue,
        13 => Action::OpenAgain,
        _ => Action::Reset,
    }
}

fn reply(detail: u8, text: String) -> Result<Reply, ErrorCode> {
    Ok(match detail % 20 {
        0 => Reply::Document(DocumentRead { sha256: text, starts_as_pdf: true }),
        1 => Reply::ExtensionVersion(text),
        2 => Reply::Initialized(Initialized::Ready { os: "Linux".to_owned(), version: text }),
        3 => Reply::Initialized(Initialized::NativeMissing),
        4 => Reply::NativeFound,
        5 => Reply::Certificates(vec![certificate(text)]),
        6 => Reply::Certificate { certificate: text, thumbprint: "t1".to_owned() },
        7 => Reply::Uploaded(text),
        8 => match serde_json::from_str::<Signature>(&text) {
            Ok(signature) => Reply::Signature(Box::new(SignatureSeen::from(signature))),
            Err(_) => return Err(ErrorCode::Internal),
        },
        9 => Reply::HashSigned(text),
        10 => Reply::Fetched,
        11 => Reply::Custody(Box::new(resolved(detail))),
        12 => Reply::ConsentTexts(vec![ConsentText {
            version: "1".to_owned(),
            language: "en".to_owned(),
            sha256: Digest::sha256(text.as_bytes()).to_hex(),
            text,
        }]),
        13 => Reply::ConsentGiven(text),
        14 => Reply::Enrolment(Box::new(EnrolmentSeen {
            id: text,
            progress: match detail / 20 % 3 {
                0 => EnrolmentProgress::Open { csr: None },
                1 => EnrolmentProgress::Open { csr: Some("CSR".to_owned()) },
                _ => EnrolmentProgress::Ended(ErrorCode::EnrolmentExpired),
            },
        })),
        15 => Reply::CertificateIssued(text),
        16 => Reply::CertificateElsewhere,
        17 => Reply::Authorization(Box::new(AuthorizationSeen {
            id: "aut_1".to_owned(),
            progress: match detail / 20 % 4 {
                0 => AuthorizationProgress::Requested,
                1 => AuthorizationProgress::Granted,
                2 => AuthorizationProgress::Refused,
                _ => AuthorizationProgress::Over,
            },
            auth_url: Some(text),
            expires_at: now(),
        })),
        18 => Reply::Window(match detail / 20 % 3 {
            0 => WindowEnd::Blocked,
            1 => WindowEnd::Closed,
            _ => WindowEnd::Returned(Query(text)),
        }),
        _ => return Err(protocol::error_code(&text)),
    })
}

fn resolved(detail: u8) -> Resolved {
    let offers =
        [CustodyOffer::HsmGenerate, CustodyOffer::Local, CustodyOffer::HsmImport, CustodyOffer::Lacuna];
    Resolved {
        custody: (detail & 0x40 != 0).then_some(Custody::Lacuna),
        certificate: None,
        services: vec!["TestCloud".to_owned()],
        offers: offers[usize::from(detail % 4)..].to_vec(),
        preselected: Some(CustodyOffer::Local),
        sources: Vec::new(),
        certain: detail & 0x80 == 0,
        signer: None,
    }
}

fn certificate(subject: String) -> ListedCertificate {
    ListedCertificate::read(&ClientEntry {
        thumbprint: "t1",
        subject_name: &subject,
        issuer_name: "AC TESTE",
        cpf: None,
        cnpj: None,
        certificate_type: Some("A3"),
        policies: &[],
        key_usage: 128,
        not_before: "2026-01-01T00:00:00Z".parse().expect("a constant"),
        not_after: "2029-01-01T00:00:00Z".parse().expect("a constant"),
    })
}
