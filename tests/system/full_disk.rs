//! The disk is full while the server runs: reads go on, writes answer clearly, and when there is room
//! again the service resumes without a restart.

use crate::support::{PLANT, Server, replay_offline};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system in memory; unmounted when it goes out of scope.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Nothing, said loudly, where mounting is not allowed.
    fn mount(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let disk = Self { folder };
        if disk.mount_as(&format!("size={kib}k")) {
            return Some(disk);
        }
        eprintln!("SKIPPED: no right to mount a small disk; the simulated one stands in elsewhere");
        None
    }

    fn mount_as(&self, options: &str) -> bool {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(self.path())
            .stderr(std::process::Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    fn grow(&self, kib: u32) {
        assert!(self.mount_as(&format!("remount,size={kib}k")));
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// A recording of our own that is larger than the small disk.
fn recording(folder: &Path) -> PathBuf {
    let path = folder.join("large.shdr");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for n in 0..120_000_u64 {
        let (minute, second) = (n / 60 % 60, n % 60);
        let (day, hour) = (1 + n / 86_400, n / 3_600 % 24);
        // Numbers that repeat late, so that they do not pack well.
        let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(
            file,
            "2017-06-{day:02}T{hour:02}:{minute:02}:{second:02}Z|program_cmt|{noise:016x}"
        )
        .unwrap();
    }
    path
}

#[test]
fn a_full_disk_is_said_and_outlived() {
    let Some(disk) = SmallDisk::mount(2_048) else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let file = recording(scratch.path());
    let server = Server::on(&disk.path().join("data"), &[]);
    server.apply(PLANT);
    let arguments = [
        "import",
        "shdr",
        "--plant",
        "T1",
        "--machine",
        "m1",
        file.to_str().unwrap(),
        "-o",
        "json",
        "-q",
        "--patience",
        "2s",
    ];
    let failed = server.run(&arguments);
    assert_eq!(failed.code, 6, "{failed:?}");
    assert_eq!(failed.error()["reason"], "DISK_FULL", "{failed:?}");
    let read = server.json(&["twin", "get", "T1"]);
    assert!(
        read["position"].as_u64().unwrap() > 1_000,
        "reads go on: {read}"
    );
    let status = server.json(&["server", "status"]);
    assert!(
        status["stopped"]
            .as_str()
            .unwrap()
            .contains("the disk is full"),
        "{status}"
    );
    disk.grow(65_536);
    let report = server.run(&arguments).json();
    assert_ne!(report["repeats"], 0, "{report}");
    assert_eq!(server.json(&["server", "status"])["stopped"], "");
    let whole = report["repeats"].as_u64().unwrap() + report["recorded"].as_u64().unwrap();
    assert_eq!(whole, 120_000, "{report}");
    let live = server.json(&["twin", "get", "T1"]);
    assert!(server.stop().success());
    let data = disk.path().join("data");
    let replayed = replay_offline(&data);
    assert_eq!(replayed["digest"], live["digest"]);
}
