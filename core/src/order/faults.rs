//! What of a request for an order can be checked without knowing anything else.

use std::collections::BTreeSet;

use crate::Timestamp;
use crate::icp_brasil::Identifier;
use crate::wire::{CreateOrder, CreateParticipant, Custody, OrderFlow, ProblemMember};

/// Longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// Longest reference, in characters.
const LONGEST_REFERENCE: usize = 128;
/// Longest name of a person or company, in characters.
const LONGEST_NAME: usize = 200;
/// Longest role, in characters.
const LONGEST_ROLE: usize = 64;
/// Most documents and most participants.
const MOST: usize = 50;
/// Highest position.
const LAST_POSITION: u32 = 50;
/// Most reminders.
const MOST_REMINDERS: usize = 10;
/// Most entries of metadata, and the longest name and value, in characters.
const METADATA: (usize, usize, usize) = (32, 64, 512);

/// Every member at fault (`invalid_request`). No fault repeats what was sent: it may be personal.
///
/// Whether documents exist, and whether format, level and policy go together, is for the caller to ask.
#[must_use]
pub fn check_order(request: &CreateOrder, now: Timestamp) -> Vec<ProblemMember> {
    let mut faults = Faults::default();
    faults.text("/title", Some(&request.title), LONGEST_TITLE);
    faults.text("/reference", request.reference.as_ref(), LONGEST_REFERENCE);
    faults.documents(&request.documents);
    faults.unless_empty("/rules/custodies", request.rules.custodies.as_deref());
    faults.participants(request);
    faults.times(request, now);
    faults.metadata(request);
    faults.0
}

/// The position of every participant: as given, else the place in the list; 1 for everybody in parallel.
#[must_use]
pub fn positions(request: &CreateOrder) -> Vec<u32> {
    let positions = (1_u32..).zip(&request.participants);
    match request.flow {
        OrderFlow::Parallel => vec![1; request.participants.len()],
        OrderFlow::Sequence => positions.map(|(place, one)| one.position.unwrap_or(place)).collect(),
    }
}

#[derive(Default)]
struct Faults(Vec<ProblemMember>);

impl Faults {
    fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(ProblemMember { pointer: pointer.into(), detail: detail.into(), code: None });
    }

    /// A text that people read: neither blank nor too long, on one line.
    fn text(&mut self, pointer: &str, text: Option<&String>, longest: usize) {
        let Some(text) = text else { return };
        let fits = !text.trim().is_empty() && text.chars().count() <= longest;
        if !fits || text.chars().any(char::is_control) {
            self.add(pointer, format!("1 to {longest} characters without control characters"));
        }
    }

    fn unless_empty(&mut self, pointer: &str, custodies: Option<&[Custody]>) {
        if custodies.is_some_and(<[_]>::is_empty) {
            self.add(pointer, "name a custody, or leave the member out for all of them");
        }
    }

    fn documents(&mut self, documents: &[String]) {
        if documents.is_empty() || documents.len() > MOST {
            self.add("/documents", format!("1 to {MOST} documents"));
        }
        let mut seen = BTreeSet::new();
        for (index, document) in documents.iter().enumerate() {
            if !seen.insert(document) {
                self.add(format!("/documents/{index}"), "each document once");
            }
        }
    }

    fn participants(&mut self, request: &CreateOrder) {
        let participants = &request.participants;
        if participants.is_empty() || participants.len() > MOST {
            return self.add("/participants", format!("1 to {MOST} participants"));
        }
        for (index, participant) in participants.iter().enumerate() {
            self.participant(&format!("/participants/{index}"), participant, request);
        }
        if !participants.iter().any(|participant| participant.must_sign) {
            return self.add("/participants", "at least one participant must sign");
        }
        let positions = positions(request);
        let required = participants.iter().zip(&positions).filter(|(one, _)| one.must_sign);
        let last = required.map(|(_, position)| *position).max().unwrap_or_default();
        for (index, position) in positions.iter().enumerate() {
            if *position > last {
                let pointer = format!("/participants/{index}/position");
                self.add(pointer, "behind everybody who must sign: the order would end before their turn");
            }
        }
    }

    fn participant(&mut self, at: &str, participant: &CreateParticipant, request: &CreateOrder) {
        if let Err(invalid) = participant.signer.identifier.parse::<Identifier>() {
            self.0.push(ProblemMember {
                pointer: format!("{at}/signer/identifier"),
                detail: invalid.to_string(),
                code: Some(invalid.code()),
            });
        }
        self.text(&format!("{at}/signer/name"), Some(&participant.signer.name), LONGEST_NAME);
        self.text(&format!("{at}/role"), participant.role.as_ref(), LONGEST_ROLE);
        let custodies = format!("{at}/custodies");
        self.unless_empty(&custodies, participant.custodies.as_deref());
        if let (Some(wanted), Some(allowed)) = (&participant.custodies, &request.rules.custodies)
            && !wanted.iter().all(|custody| allowed.contains(custody))
        {
            self.add(custodies, "only custodies that the rules allow");
        }
        let pointer = format!("{at}/position");
        let all_or_none = request.participants[0].position.is_some();
        match (request.flow, participant.position) {
            (OrderFlow::Parallel, Some(_)) => self.add(pointer, "a parallel order has no positions"),
            (OrderFlow::Sequence, Some(position)) if !(1..=LAST_POSITION).contains(&position) => {
                self.add(pointer, format!("1 to {LAST_POSITION}"));
            }
            (OrderFlow::Sequence, position) if position.is_some() != all_or_none => {
                self.add(pointer, "positions are given for every participant or for none");
            }
            (OrderFlow::Parallel, None) | (OrderFlow::Sequence, _) => {}
        }
    }

    fn times(&mut self, request: &CreateOrder, now: Timestamp) {
        if request.deadline.is_some_and(|deadline| deadline <= now) {
            self.add("/deadline", "a time to come");
        }
        let hours = &request.reminders_hours;
        if !hours.is_empty() && request.deadline.is_none() {
            self.add("/reminders_hours", "reminders need a deadline");
        }
        if hours.len() > MOST_REMINDERS {
            self.add("/reminders_hours", format!("at most {MOST_REMINDERS} reminders"));
        }
        let mut seen = BTreeSet::new();
        for (index, hours) in hours.iter().enumerate() {
            if !(1..=8760).contains(hours) || !seen.insert(hours) {
                self.add(format!("/reminders_hours/{index}"), "1 to 8760, each once");
            }
        }
    }

    fn metadata(&mut self, request: &CreateOrder) {
        let (most, longest_name, longest_value) = METADATA;
        if request.metadata.len() > most {
            self.add("/metadata", format!("at most {most} entries"));
        }
        let fits = |(name, value): (&String, &String)| {
            (1..=longest_name).contains(&name.chars().count()) && value.chars().count() <= longest_value
        };
        if !request.metadata.iter().all(fits) {
            let detail =
                format!("names of 1 to {longest_name}, values of at most {longest_value} characters");
            self.add("/metadata", detail);
        }
    }
}
