use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::super::egress::tests::ChangingNames;
use super::*;

/// A server on loopback: answers each request by its path.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), answer, count) = (stream, Arc::clone(&answer), Arc::clone(&count))
                else {
                    return;
                };
                thread::spawn(move || {
                    let mut line = String::new();
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    reader.read_line(&mut line).unwrap();
                    let mut header = String::new();
                    while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
                        header.clear();
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                    // The client may have gone, which is what some tests are about.
                    let _ = stream.write_all(&answer(&path));
                });
            }
        });
        Self { address, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn ok(body: &[u8]) -> Vec<u8> {
    [
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(),
        body,
    ]
    .concat()
}

fn redirect(target: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n")
        .into_bytes()
}

fn rules(allowed: &[String], private: &[String]) -> Rules {
    Rules::new(allowed, private, &[]).unwrap()
}

fn client(rules: Rules, timeout_ms: u64) -> Client {
    Client::new(rules, tls(Vec::new()).build(), Duration::from_millis(timeout_ms))
}

fn get(client: &Client, url: &str) -> Result<Vec<u8>, FetchError> {
    client.call(&Call { url, body: None, limit_bytes: 1000, authorization: None })
}

#[test]
fn private_addresses_are_not_called_in_whatever_form_they_are_written() {
    let server = Server::start(|_| ok(b"secret"));
    let port = server.address.port();
    let client = client(Rules::default(), 2000);
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0.0.0.0",
        "0",
    ] {
        let refused = get(&client, &format!("http://{host}:{port}/"));
        // What the system does not take for an address is a name that nobody has.
        assert!(
            matches!(refused, Err(FetchError::Forbidden(Forbidden::Address(_)) | FetchError::Unreachable(_))),
            "{host}: {refused:?}"
        );
    }
    for host in
        ["10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "[fd00::1]", "[fe80::1]", "224.0.0.1"]
    {
        let refused = get(&client, &format!("http://{host}/"));
        assert!(matches!(refused, Err(FetchError::Forbidden(Forbidden::Address(_)))), "{host}: {refused:?}");
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_named_private_host_is_called_and_only_at_its_port() {
    let server = Server::start(|_| ok(b"list"));
    let named = client(rules(&[], &[server.address.to_string()]), 2000);
    assert_eq!(get(&named, &server.url("/x.crl")), Ok(b"list".to_vec()));
    let other = client(rules(&[], &["127.0.0.1:1".to_owned()]), 2000);
    assert!(matches!(get(&other, &server.url("/")), Err(FetchError::Forbidden(Forbidden::Address(_)))));
    let unlisted = client(rules(&["ca.example".to_owned()], &[]), 2000);
    assert!(matches!(get(&unlisted, &server.url("/")), Err(FetchError::Forbidden(Forbidden::Host(_)))));
}

#[test]
fn a_mirror_is_called_in_place_of_its_host_and_no_other() {
    let server = Server::start(|_| ok(b"list"));
    let mirrors = [format!("ca.invalid={}", server.address)];
    let mirrored = client(Rules::new(&["ca.example".to_owned()], &[], &mirrors).unwrap(), 2000);
    assert_eq!(get(&mirrored, "http://ca.invalid/x.crl"), Ok(b"list".to_vec()));
    assert!(get(&mirrored, "http://other.invalid/x.crl").is_err());
    assert!(matches!(get(&mirrored, &server.url("/")), Err(FetchError::Forbidden(Forbidden::Host(_)))));
}

#[test]
fn the_target_of_a_redirect_is_checked_like_the_first_url() {
    let inside = Server::start(|_| ok(b"secret"));
    let secret = inside.url("/secret");
    let file = "file:///etc/passwd";
    let server = Server::start(move |path| match path {
        "/private" => redirect(&secret),
        "/file" => redirect(file),
        "/folder/a" => redirect("b"),
        "/folder/b" => redirect("/list"),
        "/list" => ok(b"list"),
        _ => redirect(path),
    });
    let client = client(rules(&[], &[server.address.to_string()]), 2000);
    assert!(matches!(
        get(&client, &server.url("/private")),
        Err(FetchError::Forbidden(Forbidden::Address(_)))
    ));
    assert_eq!(get(&client, &server.url("/file")), Err(FetchError::Forbidden(Forbidden::Url)));
    assert_eq!(inside.requests(), 0);
    assert_eq!(get(&client, &server.url("/folder/a")), Ok(b"list".to_vec()));
    let before = server.requests();
    assert_eq!(get(&client, &server.url("/loop")), Err(FetchError::Redirected("too often")));
    assert_eq!(server.requests() - before, 4);
}

#[test]
fn what_was_checked_is_what_is_connected_to_even_when_the_name_changes() {
    let inside = Server::start(|_| ok(b"secret"));
    // A public address where nobody answers at first, the private one at the next question.
    let public: SocketAddr = "192.0.0.9:9".parse().unwrap();
    let names = ChangingNames::new(&[inside.address, public]);
    let rules = Rules::default();
    let client = Client::with_resolver(
        rules.clone(),
        tls(Vec::new()).build(),
        Duration::from_millis(500),
        names.checked(rules),
    );
    assert!(matches!(
        get(&client, "http://rebind.example/"),
        Err(FetchError::Forbidden(Forbidden::Address(_)))
    ));
    assert_eq!((names.asked(), inside.requests()), (1, 0));

    // Checked once while it is allowed; a second question would have led elsewhere, but is not asked.
    let outside = Server::start(|_| ok(b"list"));
    let names = ChangingNames::new(&[outside.address, inside.address]);
    let rules = rules_for("rebind.example");
    let client = Client::with_resolver(
        rules.clone(),
        tls(Vec::new()).build(),
        Duration::from_secs(2),
        names.checked(rules),
    );
    assert_eq!(get(&client, "http://rebind.example/"), Ok(b"list".to_vec()));
    assert_eq!((names.asked(), outside.requests(), inside.requests()), (1, 1, 0));
}

fn rules_for(host: &str) -> Rules {
    rules(&[], &[host.to_owned()])
}

#[test]
fn answers_are_limited_in_size_and_time_and_must_be_a_success() {
    let server = Server::start(|path| match path {
        "/exact" => ok(&[7; 1000]),
        "/announced" => ok(&[7; 1001]),
        "/endless" => [&b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"[..], &[7; 5000]].concat(),
        "/broken" => b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nabc".to_vec(),
        "/nonsense" => b"220 smtp.example ESMTP\r\n".to_vec(),
        "/header" => [&b"HTTP/1.1 200 OK\r\nx: "[..], &[b'a'; 40_000], b"\r\n\r\n"].concat(),
        "/slow" => {
            thread::sleep(Duration::from_secs(3));
            ok(b"late")
        }
        _ => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
    });
    let client = client(rules(&[], &[server.address.to_string()]), 400);
    assert_eq!(get(&client, &server.url("/exact")).map(|bytes| bytes.len()), Ok(1000));
    for path in ["/announced", "/endless"] {
        assert_eq!(
            get(&client, &server.url(path)),
            Err(FetchError::TooLarge { limit_bytes: 1000 }),
            "{path}"
        );
    }
    for path in ["/broken", "/nonsense", "/header"] {
        let error = get(&client, &server.url(path));
        assert!(matches!(error, Err(FetchError::Unreachable(_))), "{path}: {error:?}");
    }
    let begun = Instant::now();
    assert_eq!(get(&client, &server.url("/slow")), Err(FetchError::TimedOut(Duration::from_millis(400))));
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(get(&client, &server.url("/gone")), Err(FetchError::Status(404)));
}

#[test]
fn a_posted_request_follows_no_redirect() {
    let server = Server::start(|path| if path == "/a" { redirect("/b") } else { ok(b"x") });
    let client = client(rules(&[], &[server.address.to_string()]), 2000);
    let posted = Call {
        url: &server.url("/a"),
        body: Some(Posted { media_type: "application/ocsp-request", bytes: b"x" }),
        limit_bytes: 10,
        authorization: Some("Basic secret"),
    };
    assert!(matches!(client.call(&posted), Err(FetchError::Redirected(_))));
    assert_eq!(server.requests(), 1);
}
