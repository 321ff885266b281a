//! kill -9 under load: every acknowledged write is there, none is half there, and the feed has no gap.

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::{
    Room, Server, database, now,
    proxy::Cluster,
    setting, until,
    world::{WORKING, World},
};

/// How often the application is killed.
fn rounds() -> usize {
    setting("FAULT_ROUNDS").map_or(3, |rounds| rounds.parse().expect("FAULT_ROUNDS is a number"))
}

/// In this round a job is stopped in the middle. Its claim, a minute long, must not run out before the last
/// round is over: whoever takes the job over changes rows while they are held against the feed.
fn job_round() -> usize {
    rounds().saturating_sub(15)
}

/// An answered write is on disk; kill -9 at any moment loses nothing acknowledged and leaves nothing half
/// done.
#[tokio::test]
async fn killed_again_and_again_it_loses_nothing() {
    let room = Room::new().await;
    let mut server = Server::start(&room, &[]);
    let mut world = World::open(&server, 8).await;
    let began = now();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds() {
        if round == job_round() {
            world.ask_for_job(&server).await;
        } else {
            world
                .work(&[&server], async {
                    tokio::time::sleep(WORKING).await;
                    server.signal("KILL");
                })
                .await;
        }
        server.kill();
        server = Server::start(&room, &[]);
        slowest = slowest.max(server.started_in);
        world.sign_in(&server).await;
        world.ask_again(&server).await;
        world.check(&room, &server).await;
    }
    world.end_of_jobs(&server).await;
    world.check(&room, &server).await;
    eprintln!(
        "{} kills in {:?}: {:?}; the slowest start took {slowest:?}",
        rounds(),
        now() - began,
        world.count
    );
}

/// The database's own processes are gone at once and come back; the application stays. It asks for
/// durable commits itself: this server is set to forget.
#[tokio::test]
async fn postgres_crashes_and_nothing_acknowledged_is_lost() {
    if database::server().is_none() {
        eprintln!("only on PostgreSQL");
        return;
    }
    let cluster = Cluster::start();
    let room = Room::on(&cluster.url).await;
    let server = Server::start(&room, &[]);
    let mut world = World::open(&server, 8).await;
    for _ in 0..rounds().div_ceil(10) {
        world
            .work(&[&server], async {
                tokio::time::sleep(WORKING).await;
                cluster.crash_and_recover();
            })
            .await;
        until("the recovery", async || {
            let replies = join_all((0..8).map(|_| server.get("/readyz", ""))).await;
            replies.iter().all(|reply| reply.status == 200).then_some(())
        })
        .await;
        world.sign_in(&server).await;
        world.ask_again(&server).await;
        world.check(&room, &server).await;
    }
    eprintln!("PostgreSQL crashed {} times: {:?}", rounds().div_ceil(10), world.count);
}
