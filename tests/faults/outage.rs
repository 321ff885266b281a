//! The database away and back: 503 with `Retry-After` in the meantime, then everything goes on without a
//! restart.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::{ConnectionTrait, Database};

use crate::support::{
    Room, Server, database, now,
    process::{Reply, note},
    proxy::Proxy,
    until,
    world::{WORKING, World},
};

/// How long the database is away.
const AWAY: Duration = Duration::from_secs(10);

/// How long an answer may take while it is.
const PATIENCE: Duration = Duration::from_secs(8);

/// Asks for everything there is, until the outage has lasted long enough: all of it is refused in time, but
/// for `/livez`.
async fn everything_is_refused(server: &Server, token: &str) {
    let began = now();
    while began.elapsed() < AWAY {
        let ask = async |method: Method, path: &str| {
            let asked = now();
            let request = server.request(method.clone(), path, token);
            let request = if method == Method::POST {
                request.json(&note("while the database was away"))
            } else {
                request
            };
            let reply = request.send().await.expect("an answer");
            assert!(asked.elapsed() < PATIENCE, "{path} was answered after {:?}", asked.elapsed());
            reply
        };
        let (live, ready, read, list, write) = tokio::join!(
            ask(Method::GET, "/livez"),
            ask(Method::GET, "/readyz"),
            ask(Method::GET, "/v1/home"),
            ask(Method::GET, "/v1/notes"),
            ask(Method::POST, "/v1/notes"),
        );
        live.assert_status(200);
        for reply in [ready, read, list, write] {
            reply.is_unavailable();
        }
    }
}

/// Until everything is answered again: each connection may have to be found broken first.
async fn everything_works(server: &Server, token: &str) {
    until("the recovery", async || {
        let well = async |reply: Option<Reply>| reply.is_some_and(|reply| reply.status < 300);
        let ready = well(server.request(Method::GET, "/readyz", "").send().await).await;
        let write = server.request(Method::POST, "/v1/notes", token).json(&note("after the outage"));
        (ready && well(write.send().await).await).then_some(())
    })
    .await;
    // From now on it works for everybody.
    until("everybody is served", async || {
        let reads = join_all((0..8).map(|_| server.get("/v1/notes", token)));
        let writes = join_all((0..8).map(|_| server.write_note(token, "after the outage")));
        let (reads, writes) = tokio::join!(reads, writes);
        reads.iter().chain(&writes).all(|reply| reply.status < 300).then_some(())
    })
    .await;
}

/// The database goes away in the middle of work, and comes back once everything was refused.
async fn be_away(server: &Server, world: &mut World, proxy: &Proxy, go: impl FnOnce(&Proxy)) {
    world
        .work(&[server], async {
            tokio::time::sleep(WORKING).await;
            go(proxy);
        })
        .await;
    everything_is_refused(server, world.token()).await;
    proxy.open();
    let back = now();
    everything_works(server, world.token()).await;
    eprintln!("recovered {:?} after the database was back", back.elapsed());
    world.sign_in(server).await;
}

/// Both wait for most of their time: they wait together.
#[tokio::test]
async fn the_database_is_away_for_ten_seconds() {
    if database::server().is_none() {
        eprintln!("only on PostgreSQL: SQLite is never away");
        return;
    }
    tokio::join!(it_refuses(), it_falls_silent());
}

/// Connections break and are refused; jobs and the feed go on afterwards.
async fn it_refuses() {
    let room = Room::new().await;
    let (proxy, url) = Proxy::before(&room.url);
    let server = Server::start_on(&url, &room, &[]);
    let mut world = World::open(&server, 8).await;
    world.ask_for_job(&server).await;
    be_away(&server, &mut world, &proxy, Proxy::refuse).await;
    world.ask_again(&server).await;
    world.end_of_jobs(&server).await;
    world.check_but(&room, &server, &["after the outage"]).await;
}

/// Connections stay and say nothing more, ever; the pool is not lost to them.
async fn it_falls_silent() {
    let room = Room::new().await;
    let (proxy, url) = Proxy::before(&room.url);
    let server = Server::start_on(&url, &room, &[("CASELOAD_REQUEST_TIMEOUT", "5")]);
    let mut world = World::open(&server, 8).await;
    be_away(&server, &mut world, &proxy, Proxy::fall_silent).await;
    world.keep_asking(&server).await;
    world.check_but(&room, &server, &["after the outage"]).await;
}

/// Another process holds the file: writes wait or are refused in time, reads go on.
#[tokio::test]
async fn the_file_is_locked_for_a_while() {
    if database::server().is_some() {
        eprintln!("only on SQLite");
        return;
    }
    let room = Room::new().await;
    let server = Server::start(&room, &[]);
    let mut world = World::open(&server, 8).await;
    let token = world.token().to_owned();
    let other = Database::connect(&room.url).await.expect("the file");
    world
        .work(&[&server], async {
            tokio::time::sleep(WORKING).await;
            other.execute_unprepared("BEGIN EXCLUSIVE").await.expect("the lock");
            let began = now();
            let writes = join_all((0..40).map(async |_| {
                let asked = now();
                let reply = server.write_note(&token, "while the file was locked").await;
                assert!(asked.elapsed() < Duration::from_secs(25), "answered after {:?}", asked.elapsed());
                reply.is_unavailable();
            }));
            let reads = async {
                while began.elapsed() < AWAY {
                    let asked = now();
                    server.get("/v1/notes", &token).await.assert_status(200);
                    server.get("/readyz", "").await.assert_status(200);
                    assert!(asked.elapsed() < Duration::from_secs(3), "read after {:?}", asked.elapsed());
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            };
            tokio::join!(writes, reads);
        })
        .await;
    other.execute_unprepared("ROLLBACK").await.expect("the end");
    other.close().await.expect("closed");
    let freed = now();
    everything_works(&server, world.token()).await;
    assert!(freed.elapsed() < Duration::from_secs(15), "it took {:?} to go on", freed.elapsed());
    world.ask_again(&server).await;
    world.check_but(&room, &server, &["after the outage"]).await;
}
