//! All plants at one instant through the command line: what is printed is the same for ever.

use crate::support::{PLANT, Server};

#[test]
fn a_cut_prints_the_same_lines_after_anything_and_after_a_restart() {
    let server = Server::with_plant();
    server.apply(&PLANT.replace("\"T1\"", "\"T2\""));
    server.append("T1 m1 STATE_CHANGED --set to=HELD --at -3h");
    server.append("T2 m2 STATE_CHANGED --set to=HELD --at -3h");
    let questions: [&[&str]; 5] = [
        &["machine", "ls", "--all-plants"],
        &["machine", "ls", "--all-plants", "--at", "-2h"],
        &["machine", "count", "--all-plants"],
        &["machine", "count", "--all-plants", "--by", "plant,state"],
        &["machine", "max", "since", "--all-plants"],
    ];
    let ask = |server: &Server, question: &[&str], form: &str| {
        let ran = server.run(&[question, &["-o", form]].concat());
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran
    };
    let place = tempfile::tempdir().unwrap();
    let mut taken = Vec::new();
    for (number, question) in questions.iter().enumerate() {
        let json = ask(&server, question, "json");
        let token = json.json()["cut"]["token"].as_str().unwrap().to_owned();
        // The time of the question is in the cut, and given once.
        let question: Vec<&str> = match question {
            [begin @ .., "--at", _] => begin.to_vec(),
            all => all.to_vec(),
        };
        let again = [&question[..], &["--known", &token]].concat();
        let csv = ask(&server, &again, "csv");
        let table = ask(&server, &again, "table");
        for says in ["2 of 2 plants answered", &token] {
            assert!(table.stderr.contains(says), "{table:#?}");
        }
        let file = place.path().join(number.to_string());
        std::fs::write(&file, format!("{token}\n")).unwrap();
        taken.push((
            question,
            format!("@{}", file.display()),
            json.stdout,
            csv.stdout,
        ));
    }
    // Late, corrected, described anew, and a plant that was not there.
    server.append("T1 m1 STATE_CHANGED --set to=FAULTED --at -4h");
    server.append("T1 m1 STATE_CHANGED --set to=IDLE");
    server.append("T2 m1 ALARM_RAISED --set key=k --set code=E --set severity=500");
    server.apply(&PLANT.replace("Test plant", "Another name"));
    server.apply(&PLANT.replace("\"T1\"", "\"T3\""));
    let data = server.data.clone();
    let check = |server: &Server| {
        for (question, known, json, csv) in &taken {
            let question = [&question[..], &["--known", known]].concat();
            assert_eq!(&ask(server, &question, "json").stdout, json, "{question:?}");
            assert_eq!(&ask(server, &question, "csv").stdout, csv, "{question:?}");
        }
        let now = server.json(&["machine", "count", "--all-plants"]);
        assert_eq!(now["cut"]["plants_answered"], 3, "{now:#}");
    };
    check(&server);
    let mut server = server;
    let folder = server.keep();
    assert!(server.stop().success());
    let server = Server::on(&data, &[]);
    check(&server);
    // A plant alone is asked with the cut of all.
    let (_, known, ..) = &taken[0];
    let one = server.json(&["machine", "get", "m1", "--plant", "T1", "--known", known]);
    assert_eq!(one["state"], "HELD", "{one:#}");
    assert!(server.stop().success());
    drop(folder);
}
