//! What rules have found of machines is shown with them: one by one, in lists, counts and figures.

use crate::harness::{PLANT, Served, reason, serve_plant};
use crate::rules::{SECOND, STANDS, applied, at, now, report, state, wait_for};
use std::collections::BTreeMap;
use werkbuch_model::event::State;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// A condition of the machines that these say.
fn list(filter: &str, instant: Option<&pb::Instant>) -> pb::ListMachinesRequest {
    pb::ListMachinesRequest {
        parent: PLANT.into(),
        filter: filter.into(),
        order_by: "raised_severity desc, number".into(),
        instant: instant.cloned(),
        ..pb::ListMachinesRequest::default()
    }
}

/// What is shown of machines at an instant is what is raised then: `expected` by rule and machine.
pub(crate) async fn check(served: &Served, instant: &pb::Instant, expected: &[(String, u32)]) {
    let mut of: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (rule, machine) in expected {
        of.entry(*machine).or_default().push(rule.clone());
    }
    let mut twin = served.twin().await;
    for machine in 1..=5 {
        let request = pb::GetMachineRequest {
            name: format!("{PLANT}/machines/{machine}"),
            instant: Some(instant.clone()),
        };
        let shown = twin.get_machine(request).await.unwrap().into_inner();
        let shown = shown.machine.unwrap();
        let mut rules: Vec<_> = shown.raised.iter().map(|one| one.rule.clone()).collect();
        rules.sort();
        let expected = of.get(&machine).cloned().unwrap_or_default();
        assert_eq!(rules, expected, "machine {machine} at {instant:?}");
        assert_eq!(shown.raised_rules(), u32::try_from(rules.len()).unwrap());
        assert!(shown.raised.iter().all(|one| one.machine == shown.name));
    }
    let all = twin.list_machines(list("", Some(instant))).await.unwrap();
    for machine in all.into_inner().machines {
        let count = of.get(&machine.number).map_or(0, Vec::len);
        assert_eq!(machine.raised_rules(), u32::try_from(count).unwrap());
        assert_eq!(machine.raised_severity.is_some(), count > 0);
        assert!(machine.raised.is_empty(), "in full only one by one");
    }
    let raised = list("raised_rules > 0", Some(instant));
    let raised = twin.list_machines(raised).await.unwrap().into_inner();
    let numbers: Vec<u32> = raised.machines.iter().map(|one| one.number).collect();
    let expected: Vec<u32> = of.keys().copied().collect();
    assert_eq!(numbers, expected, "all are as severe at {instant:?}");
}

#[tokio::test]
async fn machines_are_asked_for_by_what_rules_have_found_of_them() {
    let served = serve_plant().await;
    let now_of = STANDS.replace("hold = \"1s\"\n", "").replace("clear_", "");
    let rules = format!(
        "{now_of}severity = 300\n[[rule]]\nid = \"worse\"\nraise = \"state = 'FAULTED' AND area = 'paint'\"\n\
         severity = 900\nmessage = \"look\"\n"
    );
    applied(&served, &rules).await;
    let session = served.session("gateway-1").await;
    let begin = now();
    let faulted = |sequence, machine| at(sequence, machine, begin, state(State::Faulted));
    report(&served, session, vec![faulted(1, 2), faulted(2, 4)]).await;
    assert_eq!(wait_for(&served, 3).await.len(), 3);
    let mut twin = served.twin().await;
    let request = pb::GetMachineRequest {
        name: format!("{PLANT}/machines/press-4"),
        instant: None,
    };
    let shown = twin.get_machine(request).await.unwrap().into_inner();
    let shown = shown.machine.unwrap();
    let of = |one: &pb::RaisedRule| (one.rule.clone(), one.severity, one.message.clone(), one.at);
    let raised: Vec<_> = shown.raised.iter().map(of).collect();
    let (worse, stands) = ("worse".to_owned(), "stands".to_owned());
    assert_eq!(
        raised,
        [
            (worse, 900, "look".to_owned(), begin),
            (stands, 300, String::new(), begin)
        ]
    );
    assert_eq!((shown.raised_rules(), shown.raised_severity()), (2, 900));

    let mut numbers: Vec<Vec<u32>> = Vec::new();
    for parent in [PLANT, "tenants/default/plants/-"] {
        for filter in [
            "raised_rules > 0",
            "raised_rules = 2",
            "raised_severity < 900",
        ] {
            let mut request = list(filter, None);
            request.parent = parent.into();
            let found = twin.list_machines(request).await.unwrap().into_inner();
            numbers.push(found.machines.iter().map(|one| one.number).collect());
        }
        let count = pb::CountMachinesRequest {
            parent: parent.into(),
            filter: "raised_rules > 0".into(),
            instant: None,
        };
        let counted = twin.count_machines(count).await.unwrap().into_inner();
        assert_eq!(counted.total_size, 2, "{parent}");
    }
    let expected: [Vec<u32>; 3] = [vec![4, 2], vec![4], vec![2]];
    assert_eq!(numbers, [expected.clone(), expected].concat());
    let sum = pb::AggregateMachinesRequest {
        parent: PLANT.into(),
        measures: vec![pb::Measure {
            function: pb::AggregateFunction::Sum.into(),
            field: "raised_rules".into(),
        }],
        group_by: vec!["area".into()],
        ..pb::AggregateMachinesRequest::default()
    };
    let sums = twin.aggregate_machines(sum).await.unwrap().into_inner();
    let whole = |value: &pb::AggregateValue| match value.value {
        Some(pb::aggregate_value::Value::Whole(sum)) => sum,
        _ => panic!("{value:?}"),
    };
    let sums: Vec<_> = sums
        .groups
        .iter()
        .map(|one| whole(&one.values[0]))
        .collect();
    assert_eq!(sums, [1, 2], "body, paint");
    served.end().await;
}

/// What rules have found does not follow from the state of a machine, so nothing over time asks for it.
#[tokio::test]
async fn what_rules_have_found_is_no_condition_over_time_and_of_no_rule() {
    let served = serve_plant().await;
    let watch = pb::WatchMachinesRequest {
        parents: vec![PLANT.into()],
        filter: "raised_rules > 0".into(),
        ..pb::WatchMachinesRequest::default()
    };
    let watched = served.twin().await.watch_machines(watch).await;
    let status = watched.map(drop).unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidFilter, "{status:?}");
    let rule = STANDS.replace("state = 'FAULTED'", "raised_rules > 0");
    let request = pb::ApplyRulesRequest {
        parent: PLANT.into(),
        content: rule,
        why: "a test".into(),
        ..pb::ApplyRulesRequest::default()
    };
    let mut rules = crate::rules::client(&served).await;
    let status = rules.apply_rules(request).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidRequest, "{status:?}");
    let table = pb::StreamTableRequest {
        parent: PLANT.into(),
        table: Some(pb::stream_table_request::Table::Aggregates(
            pb::AggregateTable {
                measures: vec![pb::Measure {
                    function: pb::AggregateFunction::Max.into(),
                    field: "raised_severity".into(),
                }],
                from_time: Some(now() - SECOND),
                every_ns: SECOND,
                ..pb::AggregateTable::default()
            },
        )),
        ..pb::StreamTableRequest::default()
    };
    let channel = served.channel().await;
    let mut tables = pb::table_service_client::TableServiceClient::new(channel);
    let status = match tables.stream_table(table).await {
        Ok(stream) => stream.into_inner().message().await.map(drop).unwrap_err(),
        Err(status) => status,
    };
    assert_eq!(reason(&status), Reason::InvalidRequest, "{status:?}");
    assert!(status.message().contains("at one instant"), "{status:?}");
    served.end().await;
}
