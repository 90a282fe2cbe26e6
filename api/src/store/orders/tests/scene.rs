//! An order in a database, and what can happen to it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rubrica_core::ErrorCode;
use rubrica_core::order::OrderProgress;
use rubrica_core::wire::{CreateOrder, CreateParticipant, SessionSigner, SignaturePolicy, SignatureProblem};

use super::super::*;
use super::*;
pub(super) use crate::ids::SignatureId;
use crate::ids::{KeyId, SessionId};
use crate::ports::{KeyAlgorithm, KeyReference};
use crate::store::Store;
use crate::store::documents::{self, DocumentRow};
use crate::store::keys::{self, KeyRow, KeyState};
use crate::store::sessions::{self, SessionOrder, SessionRow};
pub(super) use crate::store::signatures::SignatureRow;
use crate::store::signatures::{self, ArtefactRow};

/// Hours after the order was opened; its deadline is at 100, its reminder at 50.
pub(super) fn at(hours: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000).unwrap().plus(Duration::from_hours(hours))
}

/// An open order of the tenant `bank`.
pub(super) struct Scene<'a> {
    store: &'a Store,
    pub(super) order: OrderId,
    participants: Vec<ParticipantRow>,
    documents: Vec<DocumentId>,
    sessions: Vec<SessionId>,
    key: KeyId,
    format: SignatureFormat,
}

impl<'a> Scene<'a> {
    /// Opens an order for so many participants and documents.
    pub(super) async fn open(
        store: &'a Store,
        flow: OrderFlow,
        format: SignatureFormat,
        participants: u8,
        documents: u8,
    ) -> Self {
        static KEYS: AtomicU8 = AtomicU8::new(0);
        let key = KeyRow {
            id: KeyId::generate(),
            tenant: "bank".to_owned(),
            signer_hash: SignerHash([0; 32]),
            reference: KeyReference {
                id: vec![KEYS.fetch_add(1, Ordering::Relaxed)],
                algorithm: KeyAlgorithm::Rsa,
            },
            certificate: b"certificate".to_vec(),
            state: KeyState::Active,
            not_after: at(1000),
            created_at: at(0),
            changed_at: None,
            changed_code: None,
        };
        let documents: Vec<_> = (0..documents).map(document).collect();
        let whole = whole(flow, format, participants, &documents);
        let sessions: Vec<_> = whole.participants.iter().map(session).collect();
        let scene = Self {
            store,
            order: whole.order.id.clone(),
            participants: whole.participants.clone(),
            documents: whole.documents.clone(),
            sessions: sessions.iter().map(|one| one.id.clone()).collect(),
            key: key.id.clone(),
            format,
        };
        let write = move |connection: &Connection| {
            keys::insert(connection, &key)?;
            for document in &documents {
                documents::insert(connection, document)?;
            }
            insert(connection, &whole, &BTreeSet::new())?;
            for session in &sessions {
                sessions::insert(connection, session, &crate::random::bytes::<32>())?;
            }
            Ok(())
        };
        store.write(write).await.unwrap();
        scene
    }

    /// Begins a signature as the handlers do: over the present revision.
    pub(super) async fn begin(
        &self,
        participant: usize,
        document: usize,
        custody: Custody,
    ) -> Result<SignatureId, StoreError> {
        let of = SessionOrder {
            order_id: self.order.clone(),
            participant_id: self.participants[participant].id.clone(),
        };
        let id = self.documents[document].clone();
        let order = of.clone();
        let place = self.store.read(move |connection| place(connection, &order, &id, at(1))).await?.unwrap();
        let is_local = custody == Custody::Local;
        let row = SignatureRow {
            id: SignatureId::generate(),
            tenant: "bank".to_owned(),
            session_id: self.sessions[participant].clone(),
            document_id: self.documents[document].clone(),
            document_sha256: place.revision.sha256,
            in_order: Some(InOrder {
                order_id: of.order_id,
                participant_id: of.participant_id,
                base: place.revision,
            }),
            signer_hash: None,
            custody,
            format: self.format,
            level: SignatureLevel::B,
            policy: SignaturePolicy::None,
            state: if is_local { SignatureState::Prepared } else { SignatureState::Accepted },
            key_id: (!is_local).then(|| self.key.clone()),
            authorization_id: None,
            certificate: b"certificate".to_vec(),
            options: None,
            plan: is_local.then(|| b"{}".to_vec()),
            signed_at: is_local.then(|| at(1)),
            value: None,
            completion_sha256: None,
            artefact: None,
            problem: None,
            created_at: at(1),
            expires_at: at(2),
        };
        self.insert(row).await
    }

    pub(super) async fn insert(&self, row: SignatureRow) -> Result<SignatureId, StoreError> {
        let id = row.id.clone();
        self.store.write(move |connection| begin(connection, &row, at(1))?.emit(connection)).await?;
        Ok(id)
    }

    /// Commits the intent of a signature by the token.
    pub(super) async fn intend(&self, id: &SignatureId) {
        let row = self.row(id).await;
        let intend = move |connection: &Connection| {
            signatures::pin(connection, &row, b"{}", at(1), at(1))?;
            signatures::intend(connection, &row, at(1))
        };
        self.store.write(intend).await.unwrap();
    }

    /// Releases a signature with this tail. Gives others that this ended.
    pub(super) async fn release(&self, id: &SignatureId, tail: u8) -> Result<Vec<SignatureId>, StoreError> {
        let row = self.row(id).await;
        let from = row.state;
        let from = if from == SignatureState::Signing { from } else { SignatureState::Prepared };
        let artefact = ArtefactRow {
            name: "a".to_owned(),
            media_type: "application/pdf".to_owned(),
            size_bytes: 10,
            sha256: [tail; 32],
            tail: [tail; 32],
            released_at: at(3),
        };
        self.store.write(move |connection| signatures::release(connection, &row, from, &artefact, None)).await
    }

    pub(super) async fn sign_and_release(
        &self,
        id: &SignatureId,
        tail: u8,
    ) -> Result<Vec<SignatureId>, StoreError> {
        self.intend(id).await;
        self.release(id, tail).await
    }

    pub(super) async fn fail(&self, id: &SignatureId) {
        let (from, id) = (self.row(id).await.state, id.clone());
        let problem = SignatureProblem { code: ErrorCode::TokenUnavailable, detail: "a test".to_owned() };
        self.store
            .write(move |connection| signatures::fail(connection, &id, from, &problem, at(3)))
            .await
            .unwrap();
    }

    pub(super) async fn cancel(&self) -> Result<Vec<SignatureId>, StoreError> {
        let id = self.order.clone();
        self.store
            .write(move |connection| cancel(connection, &id, Some("a reason"), at(2))?.emit(connection))
            .await
    }

    pub(super) async fn decline(&self, participant: usize) -> Result<Vec<SignatureId>, StoreError> {
        let (id, who) = (self.order.clone(), self.participants[participant].id.clone());
        self.store
            .write(move |connection| {
                decline(connection, &id, &who, Some("not mine"), at(2))?.emit(connection)
            })
            .await
    }

    pub(super) async fn pass_time(&self, now: Timestamp) -> Result<Vec<SignatureId>, StoreError> {
        let id = self.order.clone();
        self.store.write(move |connection| pass_time(connection, &id, now)?.emit(connection)).await
    }

    pub(super) async fn due(&self, now: Timestamp) -> Vec<OrderId> {
        self.store.read(move |connection| due(connection, now, 10)).await.unwrap()
    }

    pub(super) async fn row(&self, id: &SignatureId) -> SignatureRow {
        let id = id.clone();
        self.store.read(move |connection| signatures::load(connection, &id)).await.unwrap().unwrap()
    }

    pub(super) async fn revision(&self, document: usize) -> Revision {
        let (order, document) = (self.order.clone(), self.documents[document].clone());
        let read = move |connection: &Connection| revision(connection, &order, &document);
        self.store.read(read).await.unwrap().unwrap()
    }

    pub(super) async fn whole(&self) -> Whole {
        let id = self.order.clone();
        let scope = Scope::Tenant("bank".to_owned());
        self.store.read(move |connection| find(connection, &id, &scope)).await.unwrap().unwrap()
    }

    pub(super) async fn states(&self) -> (OrderState, Vec<ParticipantState>) {
        let whole = self.whole().await;
        (whole.order.state, whole.participants.iter().map(|one| one.state).collect())
    }

    /// Types of the events about this order.
    pub(super) async fn events(&self) -> Vec<EventType> {
        let lines: Vec<String> = self
            .store
            .read(|connection| {
                connection.query("SELECT events FROM outbox ORDER BY position", &[], |row| row.get(0))
            })
            .await
            .unwrap();
        let events = lines.iter().flat_map(|lines| lines.lines());
        let events = events.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        events
            .filter(|event| event["subject"] == self.order.to_string())
            .map(|event| serde_json::from_value(event["type"].clone()).unwrap())
            .collect()
    }
}

fn document(number: u8) -> DocumentRow {
    DocumentRow {
        id: DocumentId::generate(),
        tenant: "bank".to_owned(),
        session_id: None,
        name: "contrato.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        size_bytes: 5,
        sha256: [number; 32],
        parts: vec![[number; 32]],
        created_at: at(0),
    }
}

fn session(participant: &ParticipantRow) -> SessionRow {
    SessionRow {
        id: SessionId::generate(),
        tenant: "bank".to_owned(),
        signer_hash: participant.signer_hash,
        signer_name: participant.signer_name.clone(),
        signer_masked: participant.signer_masked.clone(),
        signer_sealed: None,
        origins: Vec::new(),
        order: Some(SessionOrder {
            order_id: participant.order_id.clone(),
            participant_id: participant.id.clone(),
        }),
        created_at: at(0),
        expires_at: at(1000),
    }
}

fn whole(flow: OrderFlow, format: SignatureFormat, participants: u8, documents: &[DocumentRow]) -> Whole {
    let id = OrderId::generate();
    let rules =
        OrderRules { format, level: Some(SignatureLevel::B), policy: SignaturePolicy::None, custodies: None };
    let asked = |number: u8| CreateParticipant {
        signer: SessionSigner { identifier: String::new(), name: format!("TEST {number}") },
        role: None,
        position: None,
        custodies: None,
        must_sign: true,
    };
    let request = CreateOrder {
        reference: Some("r-1".to_owned()),
        title: "TEST".to_owned(),
        documents: documents.iter().map(|one| one.id.to_string()).collect(),
        participants: (0..participants).map(asked).collect(),
        flow,
        rules: rules.clone(),
        deadline: Some(at(100)),
        reminders_hours: vec![50],
        metadata: BTreeMap::new(),
    };
    let ids = (0..participants).map(|_| (ParticipantId::generate().to_string(), String::new())).collect();
    let progress = OrderProgress::open(id.to_string(), &request, ids, SignatureLevel::B, at(0)).progress;
    let participants = progress.participants.iter().zip(0_u8..).map(|(one, number)| ParticipantRow {
        id: one.id.parse().unwrap(),
        order_id: id.clone(),
        position: one.position,
        signer_hash: SignerHash([number; 32]),
        signer_name: format!("TEST {number}"),
        signer_masked: "***".to_owned(),
        role: None,
        custodies: vec![Custody::Local, Custody::Hsm],
        must_sign: true,
        state: one.state,
        ended_at: None,
        decline_reason: None,
    });
    Whole {
        participants: participants.collect(),
        documents: documents.iter().map(|one| one.id.clone()).collect(),
        signatures: Vec::new(),
        reminders_hours: vec![50],
        order: OrderRow {
            id,
            tenant: "bank".to_owned(),
            reference: request.reference,
            title: request.title,
            flow,
            rules,
            level: SignatureLevel::B,
            metadata: request.metadata,
            deadline: request.deadline,
            state: OrderState::Open,
            cancellation: None,
            created_at: at(0),
            ended_at: None,
        },
    }
}
