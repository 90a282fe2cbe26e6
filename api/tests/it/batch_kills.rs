//! Server, token agents and database are killed at random instants of a batch.
//!
//! `cargo xtask faults` runs it with more kills and more items, and with another seed when it is told one.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::batch_faults::{PATIENCE, check, released, rsa_key};
use crate::batches::{manifest, submit};
use crate::support::{Instance, Options, postgres};

/// How hard the batch is struck.
#[derive(Debug)]
struct Strikes {
    kills: u64,
    items: usize,
    seed: u64,
    /// Results that openssl judges.
    verified: usize,
}

impl Strikes {
    /// The short form, unless the environment says otherwise.
    fn planned() -> Self {
        let number = |name: &str, usual: u64| match std::env::var(name) {
            Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
            Err(_) => usual,
        };
        let items = usize::try_from(number("RUBRICA_FAULTS_ITEMS", 1000)).unwrap();
        let is_long = std::env::var_os("RUBRICA_FAULTS_ITEMS").is_some();
        Self {
            kills: number("RUBRICA_FAULTS_KILLS", 20),
            items,
            seed: number("RUBRICA_FAULTS_SEED", 0x5275_6272_6963_6131),
            verified: if is_long { items } else { 50 },
        }
    }
}

/// A small generator whose numbers are the same in every run with one seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[test]
fn kills_of_api_agents_and_database_lose_nothing_and_double_nothing() {
    let strikes = Strikes::planned();
    let begun = Instant::now();
    let mut database = Some(postgres::Server::start(true));
    let address = database.as_ref().unwrap().database();
    let variables = [("RUBRICA_STORE_URL", address.as_str()), ("RUBRICA_ENGINE_LEASE_MS", "500")];
    let options = Options { variables: &variables };
    let mut instance = Instance::start_moved_to(&address, &options);
    let id = submit(&instance.backend(), &manifest(&rsa_key(&address), strikes.items));
    // Zero is the one seed from which no other number comes.
    let mut chance = Chance(strikes.seed.max(1));
    let (mut open, mut killed) = (0, [0; 3]);
    for _ in 0..strikes.kills {
        std::thread::sleep(Duration::from_millis(chance.below(40)));
        open += u64::from(released(&address, &id) < strikes.items as u64);
        let victim = chance.below(3);
        let hit = match victim {
            0 => {
                instance.kill();
                instance.run(&options);
                true
            }
            1 => kill_an_agent(&instance),
            _ => {
                database = Some(database.take().unwrap().crash().restart());
                true
            }
        };
        killed[usize::try_from(victim).unwrap()] += u64::from(hit);
    }
    assert!(open * 4 >= strikes.kills * 3, "the batch was over after {open} kills");
    let (backend, struck_for) = (instance.backend(), begun.elapsed());
    loop {
        let batch = backend.get(&format!("/v1/batches/{id}"));
        // The database may be on its way back.
        if batch.status == 200 && !batch.json()["ended_at"].is_null() {
            assert_eq!(batch.json()["state"], "completed", "{batch:?}");
            break;
        }
        assert!(begun.elapsed() < struck_for + PATIENCE, "{batch:?} {}", instance.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let ended = begun.elapsed();
    check(&address, &backend, &id, strikes.items, strikes.verified, 0);
    let [servers, agents, databases] = killed;
    println!(
        "{} kills, {open} of them before the last release: {servers} of the server, {agents} of an agent, {databases} of \
         the database; {} items released, 0 lost, 0 twice, {} judged by openssl; {} s, {} s with the checks",
        servers + agents + databases,
        strikes.items,
        strikes.verified,
        ended.as_secs(),
        begun.elapsed().as_secs()
    );
}

/// Kills the first token agent among the children of the server; `false` when there is none at this moment.
fn kill_an_agent(instance: &Instance) -> bool {
    let children = Command::new("pgrep").args(["-P", &instance.pid().to_string()]).output().unwrap();
    let children = String::from_utf8_lossy(&children.stdout).into_owned();
    let Some(agent) = children.split_whitespace().next() else { return false };
    // It may end by itself in between.
    Command::new("kill").args(["-KILL", agent]).status().unwrap().success()
}
