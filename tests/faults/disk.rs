//! The disk full: writes are refused and leave nothing behind, reads go on; with room again everything works.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::Method;

use crate::support::{
    Room, Server, database, json, until,
    world::{WORKING, World},
};

/// A small file system that only the server has: it goes with the process.
fn on_small_disk(folder: &Path) -> Option<Server> {
    // Root makes it at once, others in a namespace where they are root.
    let spaces: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let may = |space: &&[&str]| {
        let tried =
            Command::new("unshare").args(*space).args(["mount", "-t", "tmpfs", "tmpfs"]).arg(folder).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let space = spaces.iter().find(|space| may(space))?;
    let url = format!("sqlite://{}/caseload.db", folder.display());
    let settings = Server::command(folder, &url, &[]);
    let mut command = Command::new("unshare");
    command.args(*space).args(["sh", "-c", r#"mount -t tmpfs -o size=24m tmpfs "$1" && exec "$0" serve"#]);
    command
        .arg(settings.get_program())
        .arg(folder)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.envs(settings.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Some(Server::run(&mut command, folder))
}

#[tokio::test]
async fn the_disk_is_full_for_a_while() {
    if database::server().is_some() {
        eprintln!("only on SQLite");
        return;
    }
    let home = Room::in_folder(Room::folder());
    let folder = &home.folder;
    let Some(server) = on_small_disk(folder) else {
        eprintln!(
            "SKIPPED: the disk full. This machine lets nobody mount a small file system (unshare --mount)."
        );
        return;
    };
    let mut world = World::open(&server, 6).await;
    // The server's disk, seen from here.
    let disk = PathBuf::from(format!("/proc/{}/root{}", server.id(), folder.display()));
    let token = world.token().to_owned();
    let big = json!({ "subject": { "type": "order", "id": "A" },
        "title": "on a full disk", "body": "x".repeat(300_000) });
    let (mut refused, mut written) = (0, 0);
    for _ in 0..3 {
        let filler = disk.join("filler");
        world
            .work(&[&server], async {
                tokio::time::sleep(WORKING).await;
                fill(&filler);
                for _ in 0..5 {
                    let writes = join_all((0..10).map(async |_| {
                        server
                            .request(Method::POST, "/v1/notes", &token)
                            .json(&big)
                            .send()
                            .await
                            .expect("an answer")
                    }));
                    for reply in writes.await {
                        if reply.status == 201 {
                            written += 1;
                        } else {
                            reply.is_unavailable();
                            refused += 1;
                        }
                    }
                    server.get("/v1/notes", &token).await.assert_status(200);
                    server.get("/readyz", "").await.assert_status(200);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            })
            .await;
        fs::remove_file(&filler).expect("room again");
        until("writes work again", async || {
            (server.write_note(&token, "on a full disk").await.status == 201).then_some(())
        })
        .await;
        written += 1;
        world.ask_again(&server).await;
        let room = copy(&disk, &server);
        world.check_but(&room, &server, &["on a full disk"]).await;
        let look = room.look().await;
        assert_eq!(look.number("SELECT COUNT(*) FROM notes WHERE title = 'on a full disk'").await, written);
        look.close().await;
    }
    assert!(refused > 0, "the disk was never full");
    eprintln!("on a full disk {refused} writes were refused, {written} succeeded; {:?}", world.count);
}

/// The database as it is on that disk at this moment. SQLite itself cannot open it from here.
fn copy(disk: &Path, server: &Server) -> Room {
    let folder = Room::folder();
    server.signal("STOP");
    for file in ["caseload.db", "caseload.db-wal"] {
        fs::copy(disk.join(file), folder.join(file)).expect("a copy");
    }
    server.signal("CONT");
    Room::in_folder(folder)
}

/// Takes all the room there is.
fn fill(file: &Path) {
    let mut file = fs::File::create(file).expect("a file");
    for size in [65536, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
