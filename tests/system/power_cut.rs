//! The power goes on a real file system: an ext4 of our own is shut down under load, without a last
//! flush of its journal, and mounted again; every acknowledged event is there.

use crate::kill::{Acknowledged, Dice, SOURCES, check_events, report};
use crate::support::{PLANT, Server, replay_offline};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Shuts a mounted ext4 down, when it is told to: EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
/// What is not on the disk by then never gets there.
const SHUT_DOWN: &str = "import fcntl, os, struct, sys\n\
    folder = os.open(sys.argv[1], os.O_RDONLY)\n\
    print('ready', flush=True)\n\
    sys.stdin.readline()\n\
    fcntl.ioctl(folder, 0x8004587d, struct.pack('I', 2))\n\
    print('down', flush=True)\n";

/// An ext4 in a file, mounted through a loop device; unmounted when it goes out of scope.
struct Ext4 {
    folder: tempfile::TempDir,
}

impl Ext4 {
    /// Nothing, with the reason, where the system does not let us.
    fn make() -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(256 << 20).unwrap();
        ran(Command::new("mkfs.ext4").arg("-q").arg("-F").arg(&image))?;
        std::fs::create_dir(folder.path().join("disk")).unwrap();
        let disk = Self { folder };
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<(), String> {
        let image = self.folder.path().join("image");
        ran(Command::new("mount")
            .args(["-o", "loop"])
            .arg(image)
            .arg(self.path()))
    }

    /// Lets the power go, at once after `last` has been called. Answers what that one answered.
    fn cut<T>(&self, last: impl FnOnce() -> T) -> Result<T, String> {
        let mut command = Command::new("python3");
        command.args(["-c", SHUT_DOWN]).arg(self.path());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut switch = command
            .spawn()
            .map_err(|error| format!("python3: {error}"))?;
        let mut said = BufReader::new(switch.stdout.take().unwrap());
        let mut hear = |word: &str| {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            (line.trim() == word)
                .then_some(())
                .ok_or_else(|| "the system does not know the call".to_owned())
        };
        let ready = hear("ready");
        let answer = last();
        let told = switch.stdin.take().unwrap().write_all(b"now\n");
        let down = ready
            .and(told.map_err(|error| error.to_string()))
            .and_then(|()| hear("down"));
        switch.wait().unwrap();
        down.map(|()| answer)
    }

    fn unmount(&self) {
        ran(Command::new("umount").arg(self.path())).unwrap();
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }
}

impl Drop for Ext4 {
    fn drop(&mut self) {
        let lazily = Command::new("umount")
            .arg("-l")
            .arg(self.path())
            .stderr(Stdio::null())
            .status();
        drop(lazily);
    }
}

/// Runs a command to its end. Errors: what it said.
fn ran(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    output
        .status
        .success()
        .then_some(())
        .ok_or_else(|| format!("{program}: {}", said.trim()))
}

/// An ext4 that can be shut down, or nothing, said loudly.
fn disk() -> Option<Ext4> {
    let disk = Ext4::make().and_then(|disk| {
        // Whether the system knows the call; what is lost here is nobody's.
        disk.cut(|| ())?;
        disk.unmount();
        disk.mount()?;
        Ok(disk)
    });
    match disk {
        Ok(disk) => Some(disk),
        Err(why) => {
            let required = std::env::var("WERKBUCH_REQUIRE_EXT4").is_ok_and(|value| value == "1");
            assert!(!required, "WERKBUCH_REQUIRE_EXT4=1, but: {why}");
            eprintln!(
                "SKIPPED: no ext4 whose power can be cut ({why}); the simulated one stands in"
            );
            None
        }
    }
}

fn cut_and_look(options: &[&str], rounds: u64) {
    let Some(disk) = disk() else {
        return;
    };
    let data = disk.path().join("data");
    let mut told: Vec<Acknowledged> = (0..SOURCES).map(|_| Acknowledged::default()).collect();
    let mut dice = Dice(20_261_122);
    let mut server = Server::on(&data, options);
    server.apply(PLANT);
    for _ in 0..rounds {
        let stop = Arc::new(AtomicBool::new(false));
        let reporters: Vec<_> = (0..SOURCES)
            .map(|source| {
                let (url, told, stop) = (server.url.clone(), told[source].clone(), stop.clone());
                std::thread::spawn(move || report(&url, source, &told, &stop))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(150 + dice.below(250)));
        // What is acknowledged while the power goes may be lost: there the call for a sync comes back
        // with success from a file system that is no more, where a real cut lets nothing come back.
        let sure = disk.cut(|| copied(&told)).unwrap();
        // Who goes on reporting is not told that anything is recorded which is not.
        std::thread::sleep(Duration::from_millis(30));
        drop(server.kill());
        stop.store(true, Ordering::SeqCst);
        for reporter in reporters {
            reporter.join().unwrap();
        }
        disk.unmount();
        disk.mount().unwrap();
        server = Server::on(&data, options);
        check_events(&server, &sure);
        told = sure;
    }
    let events: usize = told.iter().map(|told| told.lock().unwrap().len()).sum();
    assert!(
        events as u64 > rounds * 20,
        "{events} events in {rounds} rounds say little"
    );
    let live = server.json(&["twin", "get", "T1"]);
    assert!(server.stop().success());
    assert_eq!(replay_offline(&data)["digest"], live["digest"]);
    eprintln!("{rounds} power cuts on ext4, {events} acknowledged events, all there once");
}

/// What has been acknowledged by now.
fn copied(told: &[Acknowledged]) -> Vec<Acknowledged> {
    let copies = told.iter().map(|told| told.lock().unwrap().clone());
    copies.map(|told| Acknowledged::new(told.into())).collect()
}

fn rounds() -> u64 {
    if std::env::var_os("WERKBUCH_LONG").is_some() {
        40
    } else {
        5
    }
}

#[test]
fn acknowledged_events_survive_a_power_cut_on_ext4() {
    // Files of 1 MiB, so that the power also goes while it seals.
    cut_and_look(
        &["--write-ahead-mib", "1", "--snapshot-every", "400"],
        rounds(),
    );
}

#[test]
fn acknowledged_events_survive_a_power_cut_on_ext4_with_sled() {
    cut_and_look(&["--store", "sled", "--snapshot-every", "400"], rounds());
}
