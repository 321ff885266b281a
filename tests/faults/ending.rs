//! The end and the company: SIGTERM under load, and two instances of which one is killed.

use std::time::Duration;

use crate::support::{
    Room, Server, database, now, until,
    world::{WORKING, World},
};

/// Everything that was accepted is answered; nothing is done without an answer.
#[tokio::test]
async fn it_ends_well_under_load() {
    let room = Room::new().await;
    let mut server = Server::start(&room, &[]);
    let mut world = World::open(&server, 8).await;
    let mut longest = Duration::ZERO;
    for _ in 0..5 {
        let mut told = now();
        world
            .work(&[&server], async {
                tokio::time::sleep(WORKING).await;
                told = now();
                server.signal("TERM");
                // They go on asking until nobody answers.
                tokio::time::sleep(Duration::from_secs(2)).await;
            })
            .await;
        let status = until("its end", async || server.ended()).await;
        assert!(status.success(), "{status}");
        longest = longest.max(told.elapsed());
        server = Server::start(&room, &[]);
        world.sign_in(&server).await;
        world.ask_again(&server).await;
        world.check(&room, &server).await;
    }
    eprintln!("ended five times, in {longest:?} at most: {:?}", world.count);
    assert_eq!(world.count.kept, 0, "something was done and not answered");
    assert!(longest < Duration::from_secs(10), "it took {longest:?} to end");
}

/// Two instances on one database, of which one is killed in the middle of a job: the other carries on,
/// the feed has no gap, and the job is taken over.
#[tokio::test]
async fn one_of_two_instances_is_killed() {
    let room = Room::new().await;
    let first = Server::start(&room, &[]);
    let mut world = World::open(&first, 8).await;
    world.ask_for_job(&first).await;
    let second = Server::start(&room, &[]);
    world
        .work(&[&first, &second], async {
            tokio::time::sleep(WORKING).await;
            first.signal("KILL");
            tokio::time::sleep(3 * WORKING).await;
        })
        .await;
    drop(first);
    world.ask_again(&second).await;
    world.check(&room, &second).await;
    world.end_of_jobs(&second).await;
    world.check(&room, &second).await;
    eprintln!(
        "one of two killed ({}): {:?}",
        if database::server().is_some() { "PostgreSQL" } else { "SQLite" },
        world.count
    );
}
