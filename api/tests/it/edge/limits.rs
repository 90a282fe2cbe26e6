//! Limits of each client and each address.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::raw::{address, is_closed, statuses, wait_until};
use crate::support::{ANA, BRUNO, Client, Instance, Options};

#[test]
fn one_client_over_its_limits_does_not_hurt_another() {
    let instance = Instance::start_with(&Options {
        variables: &[("RUBRICA_LIMITS_REQUESTS_PER_SECOND", "1"), ("RUBRICA_LIMITS_REQUEST_BURST", "20")],
    });
    let (noisy, other) = (instance.session(ANA), instance.session(BRUNO));
    let mut refused = 0;
    for _ in 0..40 {
        let begun = Instant::now();
        let answer = noisy.get("/v1/custody");
        if answer.status == 200 {
            assert!(answer.header("ratelimit").starts_with("\"requests\";r="), "{answer:?}");
            continue;
        }
        let waited = begun.elapsed();
        answer.assert_problem(429, "too_many_requests");
        assert_eq!(answer.header("retry-after"), "1");
        assert!(waited < Duration::from_millis(500), "{waited:?}");
        refused += 1;
    }
    assert!((10..=20).contains(&refused), "{refused}");
    assert_eq!(other.get("/v1/custody").status, 200);
    assert_eq!(noisy.get("/health/live").status, 200);
    // A page can read why.
    let page = noisy.with("origin", crate::support::ORIGIN).get("/v1/custody");
    assert_eq!((page.status, page.header("access-control-allow-origin")), (429, crate::support::ORIGIN));
    assert!(page.header("access-control-expose-headers").contains("retry-after"));
    // And comes back when it was told.
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(noisy.get("/v1/custody").status, 200);
}

#[test]
fn invented_credentials_are_on_the_account_of_their_address() {
    let instance = Instance::start_with(&Options {
        variables: &[
            ("RUBRICA_LIMITS_ADDRESS_REQUESTS_PER_SECOND", "1"),
            ("RUBRICA_LIMITS_ADDRESS_REQUEST_BURST", "20"),
        ],
    });
    let session = instance.session(ANA);
    assert_eq!(session.get("/v1/custody").status, 200);
    let from = |address: &str, token: &str| {
        Client::new(instance.url(), Some(token)).with("x-forwarded-for", address).get("/v1/custody")
    };
    let statuses: Vec<_> = (0..30).map(|n| from("192.0.2.1", &format!("guess-{n}")).status).collect();
    assert_eq!(statuses[..20], [401; 20]);
    assert!(statuses[25..].iter().all(|status| *status == 429), "{statuses:?}");
    from("192.0.2.1", "guess").assert_problem(429, "too_many_requests");
    // Neither another address nor a credential that works is concerned, from the same address too.
    assert_eq!(from("192.0.2.2", "guess").status, 401);
    assert_eq!(from("192.0.2.1", session.token.as_deref().unwrap()).status, 200);
}

#[test]
fn requests_at_the_same_time_are_limited() {
    let instance =
        Instance::start_with(&Options { variables: &[("RUBRICA_LIMITS_CONCURRENT_REQUESTS", "2")] });
    let (session, other) = (instance.session(ANA), instance.session(BRUNO));
    let token = session.token.clone().unwrap();
    assert_eq!(session.get("/v1/custody").status, 200);
    let upload = format!(
        "POST /v1/documents HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: 3\r\n\
         expect: 100-continue\r\n\r\n"
    );
    let mut uploads: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = super::raw::connect(&instance);
            stream.write_all(upload.as_bytes()).unwrap();
            // The go-ahead: the request is under way.
            let mut answer = [0; 25];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
            stream
        })
        .collect();
    let refused = session.get("/v1/custody");
    refused.assert_problem(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(other.get("/v1/custody").status, 200);
    // One ends, one goes away: both places are free again.
    uploads[0].write_all(b"abc").unwrap();
    let mut answer = [0; 12];
    uploads[0].read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 201");
    uploads.clear();
    wait_until("the places to be free", Duration::from_secs(10), || {
        let answers: Vec<_> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..2).map(|_| scope.spawn(|| session.get("/v1/custody").status)).collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect()
        });
        answers == [200, 200]
    });
}

/// A connection from one of the addresses of this machine.
fn connect_from(instance: &Instance, from: [u8; 4]) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::from(from), 0)).into()).unwrap();
    let to: SocketAddr = address(instance).parse().unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

#[test]
fn connections_of_one_address_are_limited_and_others_come_through() {
    let instance = Instance::start_with(&Options {
        variables: &[
            ("RUBRICA_SERVER_MAX_CONNECTIONS_PER_ADDRESS", "8"),
            ("RUBRICA_SERVER_TRUSTED_PROXIES", "127.0.0.9/32"),
        ],
    });
    let request = b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n";
    let ask = |stream: &mut TcpStream| {
        let _ = stream.write_all(request);
        let mut answer = [0; 2000];
        let length = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };
    let mut held: Vec<_> = (0..8).map(|_| connect_from(&instance, [127, 0, 0, 2])).collect();
    let mut ninth = connect_from(&instance, [127, 0, 0, 2]);
    let refusal = ask(&mut ninth);
    assert_eq!(statuses(&refusal), ["429"], "{refusal}");
    assert!(refusal.contains("retry-after: 1") && refusal.contains("too_many_requests"), "{refusal}");
    wait_until("the refused connection to end", Duration::from_secs(10), || is_closed(&mut ninth));
    assert!(held.iter_mut().all(|stream| statuses(&ask(stream)) == ["200"]));

    assert_eq!(statuses(&ask(&mut connect_from(&instance, [127, 0, 0, 3]))), ["200"]);
    let mut proxy: Vec<_> = (0..20).map(|_| connect_from(&instance, [127, 0, 0, 9])).collect();
    assert!(proxy.iter_mut().all(|stream| statuses(&ask(stream)) == ["200"]));

    held.pop();
    wait_until("the place to be free", Duration::from_secs(10), || {
        statuses(&ask(&mut connect_from(&instance, [127, 0, 0, 2]))) == ["200"]
    });
}
