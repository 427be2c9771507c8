//! What if: of a described plant and of a plant's log, and what was asked wrongly.

use crate::support::{Server, run};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A file of the models that come with the project.
fn model(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/models");
    folder.join(name).to_str().unwrap().to_owned()
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path: PathBuf = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The measure of a case.
fn measure<'r>(result: &'r Value, case: usize, name: &str) -> &'r Value {
    let measures = result["cases"][case]["measures"].as_array().unwrap();
    measures.iter().find(|one| one["name"] == name).unwrap()
}

#[test]
fn a_described_plant_is_asked_and_a_kept_result_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("result.json");
    let kept = kept.to_str().unwrap();
    let svg = folder.path().join("fan.svg");
    let drawings = folder.path().join("drawings");
    let plant = model("engine-line.toml");
    let down = model("hot-test-down.toml");
    let ran = run(&[
        "sim",
        "run",
        "--model",
        &plant,
        "--scenario",
        &down,
        "--horizon",
        "16h",
        "--replications",
        "8",
        "--save",
        kept,
        "--svg",
        svg.to_str().unwrap(),
        "--sensitivity=5%",
        "--tornado",
        "--most",
        "3",
        "--gantt",
        "--drawings",
        drawings.to_str().unwrap(),
        "-o",
        "json",
        "--quiet",
    ]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let found = ran.json();
    what_is_told_beside_the_measures(&found, &drawings);
    let difference = found["differences"].as_array().unwrap();
    let output = difference
        .iter()
        .find(|one| one["measure"] == "output")
        .unwrap();
    assert!(
        output["difference"]["mean"].as_f64().unwrap() < -20.0,
        "{output:#}"
    );
    assert_eq!(output["distinguishable"], true);
    assert!(
        std::fs::read_to_string(&svg)
            .unwrap()
            .contains("hot-test-down")
    );
    for threads in ["1", "2", "16"] {
        let again = run(&[
            "sim",
            "rerun",
            kept,
            "--threads",
            threads,
            "-o",
            "json",
            "--quiet",
        ]);
        assert_eq!(again.code, 0, "{again:#?}");
        assert_eq!(again.json()["digest"], found["digest"]);
    }
    // What was kept is not what comes out: the seed was changed in it.
    let text = std::fs::read_to_string(kept).unwrap();
    let changed = file(
        folder.path(),
        "changed.json",
        &text.replace("\"seed\": 1", "\"seed\": 2"),
    );
    let again = run(&["sim", "rerun", &changed, "--quiet"]);
    assert_eq!(again.code, 5, "{again:#?}");
    assert!(again.stderr.contains("RESULT_DIFFERS"), "{again:#?}");
}

fn what_is_told_beside_the_measures(found: &Value, drawings: &Path) {
    let loss = &found["losses"][0];
    assert_eq!(loss["scenario"], "hot-test-down");
    let number = |value: &Value| value.as_f64().unwrap();
    let worst = number(&loss["behind_at_worst"]["mean"]);
    assert!(
        worst >= number(&loss["behind_at_the_end"]["mean"]),
        "{loss:#}"
    );
    assert!(worst > 20.0 && loss["not_recovered"]["runs"].as_u64().unwrap() <= 8);
    for case in 0..2 {
        let tried = &found["sensitivity"][case];
        assert_eq!((&tried["shown"], &tried["total"]), (&3.into(), &34.into()));
        let told = found["cases"][case]["uncertainty"].as_str().unwrap();
        assert!(told.contains("the simulation's own error"), "{told}");
        assert_ne!(found["cases"][case]["bottleneck"]["machine"], Value::Null);
    }
    assert_eq!(found["tornado"]["bars"].as_array().unwrap().len(), 3);
    let gantts = found["gantt"].as_array().unwrap();
    assert_eq!(gantts.len(), 4);
    assert_eq!(gantts[1]["replication"], found["cases"][0]["bad_run"]);
    for name in [
        "output.svg",
        "differences.svg",
        "tornado.svg",
        "gantt-0-baseline-median.svg",
        "gantt-1-hot-test-down-bad.svg",
    ] {
        let text = std::fs::read_to_string(drawings.join(name)).unwrap();
        assert!(
            text.starts_with("<svg") && text.ends_with("</svg>\n"),
            "{name}"
        );
    }
}

/// How many parts left the plant in a window of its log.
fn shipped(server: &Server, plant: &str, from: &str, to: &str) -> usize {
    let ask = [
        "event",
        "ls",
        "--plant",
        plant,
        "--kind",
        "PART_DISPOSITIONED",
        "--from",
        from,
        "--to",
        to,
        "--limit",
        "10000",
    ];
    let mut page = server.json(&ask);
    let mut number = 0;
    loop {
        let left = |event: &&Value| event["reported"]["disposition"] == "SHIPPED";
        number += page["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(left)
            .count();
        let token = page["next_page_token"].as_str().unwrap_or("").to_owned();
        if token.is_empty() {
            return number;
        }
        page = server.json(&[&ask[..], &["--page-token", &token]].concat());
    }
}

#[test]
fn a_plants_log_is_forked_and_forecasts_what_then_happened() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ran = run(&[
        "demo",
        "--plants",
        "1",
        "--machines",
        "60",
        "--speed",
        "max",
        "--for",
        "20h",
        "--data",
        data.to_str().unwrap(),
        "--quiet",
    ]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let server = Server::on(&data, &[]);
    let plants = server.json(&["plant", "ls"]);
    let plant = plants[0]["plant"].as_str().unwrap().to_owned();
    let at = "2025-01-14T02:45:00Z";
    let sheet = server.json(&[
        "sim", "model", "--plant", &plant, "--at", at, "--window", "14h",
    ]);
    let fits = sheet["fits"].as_array().unwrap();
    let cycles = fits.iter().filter(|one| one["what"] == "cycle").count();
    assert!(cycles > 15, "{sheet:#}");
    for fit in fits {
        assert!(
            fit["mean_s"].as_f64().unwrap() > 0.0
                && (fit["values"].as_u64().unwrap() > 0
                    || fit["basis"].as_str().unwrap().starts_with("pooled")),
            "{fit:#}"
        );
        assert_ne!(fit["basis"], "", "{fit:#}");
    }
    let kept = folder.path().join("fork.json");
    let kept = kept.to_str().unwrap();
    let options = [
        "--plant",
        plant.as_str(),
        "--at",
        at,
        "--window",
        "14h",
        "--horizon",
        "5h",
        "--replications",
        "12",
        "--quiet",
    ];
    let ran = server.json(&[&["sim", "run", "--save", kept][..], &options].concat());
    let truly = shipped(&server, &plant, at, "2025-01-14T07:45:00Z") as f64;
    let forecast = measure(&ran, 0, "output")["mean"].as_f64().unwrap();
    // These hours happened once, and other chance would have made them a tenth better or worse.
    assert!(
        (forecast - truly).abs() < 0.15 * truly,
        "{forecast} forecast, {truly} came"
    );
    let again = server.json(&["sim", "rerun", kept, "--threads", "1", "--quiet"]);
    assert_eq!(again["digest"], ran["digest"]);
    // Less is known at another instant: the fork is another, and so is what comes out.
    let other = server.json(&[
        "sim",
        "model",
        "--plant",
        &plant,
        "--at",
        "2025-01-13T20:00:00Z",
        "--window",
        "6h",
    ]);
    assert_ne!(other["fork"], sheet["fork"]);
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let plant = model("engine-line.toml");
    let scenario = |text: &str| file(folder.path(), "s.toml", text);
    for (text, wanted) in [
        (
            "[[change]]\ndo = \"down\"\nmachines = \"op10-9\"\n",
            "there is no \"op10-9\"",
        ),
        (
            "[[change]]\ndo = \"cycle\"\nmachines = \"*\"\nfactor = -1\n",
            "s.toml:4:10",
        ),
        (
            "[[change]]\ndo = \"cycle\"\nmachines = \"*\"\ntime = \"exponential(mean=0s)\"\n",
            "s.toml:4:8",
        ),
        ("[[change]]\ndo = \"energy\"\n", "cannot be simulated"),
        ("", "the file has no change"),
        ("[[change\n", "s.toml:1:"),
    ] {
        let path = scenario(text);
        for command in [
            &["scenario", "check", &path][..],
            &["sim", "run", "--scenario", &path],
        ] {
            let ran = run(&[command, &["--model", &plant]].concat());
            assert_eq!(ran.code, 2, "{ran:#?}");
            assert!(ran.stderr.contains(wanted), "{ran:#?}");
        }
    }
    let lacks = file(
        folder.path(),
        "p.toml",
        "[plant]\nid = \"P\"\n[[machine]]\nid = \"m\"\nrole = \"node\"\n",
    );
    for (arguments, code, wanted) in [
        (&["--model", &lacks][..], 2, "has no flow"),
        (&["--model", "absent.toml"], 3, "absent.toml"),
        (&["--model", &plant, "--horizon", "0s"], 2, "it is no time"),
        (&["--model", &plant, "--horizon", "-1h"], 2, "it is below 0"),
        (
            &["--model", &plant, "--horizon", "400d"],
            2,
            "longer than a year",
        ),
        (&["--model", &plant, "--replications", "1"], 2, "2..=100000"),
        (
            &["--model", &plant, "--precision", "0%"],
            2,
            "between 0% and 100%",
        ),
        (
            &["--model", &plant, "--at", "now"],
            2,
            "not about a described model",
        ),
        (&["--horizon", "1h"], 2, "--model"),
    ] {
        let ran = run(&[&["sim", "run"][..], arguments].concat());
        assert_eq!(ran.code, code, "{ran:#?}");
        assert!(ran.stderr.contains(wanted), "{ran:#?}");
    }
    let ran = run(&["sim", "rerun", &plant]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(ran.stderr.contains("is no kept result"), "{ran:#?}");
}
