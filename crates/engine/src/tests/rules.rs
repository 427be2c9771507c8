//! Rules that apply and what they find are kept by the log: nothing is raised twice, whoever says so.

use super::*;
use crate::{ChangeRules, ChangedRules, KeptRule, RuleBook, RuleSet, RuleTurn};

fn rule(name: &str, raise: &str) -> KeptRule {
    KeptRule {
        rule: name.into(),
        raise: raise.into(),
        severity: 700,
        text: "look".into(),
        ..KeptRule::default()
    }
}

async fn change(bench: &Bench, set: RuleSet) -> Result<ChangedRules, crate::EngineError> {
    let request = ChangeRules {
        set,
        file_hash: vec![7; 32],
        dry_run: false,
        who: "anna".into(),
        why: "test".into(),
    };
    bench.plant().change_rules(request).await
}

fn turn(rule: &str, machine: u32, raised: bool, seconds: i64) -> RuleTurn {
    RuleTurn {
        rule: rule.into(),
        machine: MachineNumber(machine),
        name: format!("m{machine}"),
        raised,
        since: MORNING.plus((seconds - 5) * SECOND_NS),
        due: MORNING.plus(seconds * SECOND_NS),
    }
}

async fn record(bench: &Bench, revision: u32, turns: &[RuleTurn]) -> Vec<bool> {
    let recorded = bench.plant().record_turns(revision, turns.to_vec()).await;
    recorded.unwrap()
}

fn standing(book: &RuleBook) -> Vec<(String, u32)> {
    let raised = book.raised().keys();
    raised
        .map(|(rule, machine)| (rule.to_string(), machine.get()))
        .collect()
}

async fn ruled() -> Bench {
    let bench = Bench::new().await;
    let rules = vec![rule("a", "state = 'FAULTED'"), rule("b", "state = 'IDLE'")];
    let changed = change(&bench, RuleSet::These(rules)).await.unwrap();
    assert_eq!((changed.recorded, changed.revision), (true, 1));
    bench.clock.pass(60 * SECOND_NS);
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_raised_twice_and_only_what_is_raised_is_cleared() {
    let bench = ruled().await;
    let turns = [
        turn("a", 1, true, 10),
        turn("a", 1, true, 11),
        turn("b", 2, false, 12),
        turn("a", 1, false, 13),
        turn("a", 1, true, 14),
    ];
    let recorded = record(&bench, 1, &turns).await;
    assert_eq!(recorded, [true, false, false, true, true]);
    assert_eq!(record(&bench, 1, &turns[..1]).await, [false]);
    assert_eq!(
        record(&bench, 2, &[turn("b", 2, true, 15)]).await,
        [false],
        "no such revision"
    );
    assert_eq!(
        bench.last_kinds(3),
        ["RULE_RAISED", "RULE_CLEARED", "RULE_RAISED"]
    );
    let found = bench.each(|event| match &event.reported.body {
        Body::RuleRaised(said) => Some((said.before, said.severity, event.effective_at)),
        Body::RuleCleared(said) => Some((said.before, 0, event.effective_at)),
        _ => None,
    });
    let found: Vec<_> = found.into_iter().flatten().collect();
    let first = bench.plant().position().get() - 2;
    let at = |seconds: i64| MORNING.plus(seconds * SECOND_NS);
    assert_eq!(
        found,
        [
            (Position(0), 700, at(10)),
            (Position(first), 0, at(13)),
            (Position(first + 1), 700, at(14)),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_never_lies_ahead_of_its_record() {
    let bench = ruled().await;
    record(&bench, 1, &[turn("a", 1, true, 3_600)]).await;
    let ahead = bench.each(|event| event.effective_at > event.recorded_at);
    assert!(!ahead.contains(&true));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_known_again_after_a_start_with_and_without_a_snapshot() {
    let mut bench = ruled().await;
    record(&bench, 1, &[turn("a", 1, true, 10), turn("b", 2, true, 11)]).await;
    let before = bench.plant().rules();
    assert_eq!(
        standing(&before),
        [("a".to_owned(), 1), ("b".to_owned(), 2)]
    );
    let digest = bench.digest().await;
    for with_snapshot in [true, false] {
        bench.engine.close().await.unwrap();
        if !with_snapshot {
            std::fs::remove_dir_all(bench.folder.path().join("snapshots")).unwrap();
        }
        bench = bench.reopen().await;
        assert_eq!(*bench.plant().rules(), *before, "snapshot: {with_snapshot}");
        assert_eq!(record(&bench, 1, &[turn("a", 1, true, 20)]).await, [false]);
    }
    assert_eq!(bench.digest().await, digest, "it is no part of the state");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_raises_otherwise_is_withdrawn_and_what_is_only_said_otherwise_goes_on() {
    let bench = ruled().await;
    record(
        &bench,
        1,
        &[
            turn("a", 1, true, 10),
            turn("b", 1, true, 11),
            turn("b", 2, true, 12),
        ],
    )
    .await;
    let louder = KeptRule {
        severity: 900,
        ..rule("a", "state = 'FAULTED'")
    };
    let other = KeptRule {
        hold_ns: 5,
        ..rule("b", "state = 'IDLE'")
    };
    let changed = change(&bench, RuleSet::These(vec![louder, other]))
        .await
        .unwrap();
    assert_eq!(
        changed.changes,
        ["change rule \"a\": severity", "change rule \"b\": hold"]
    );
    assert_eq!((changed.revision, changed.withdrawn), (2, 2));
    let book = bench.plant().rules();
    assert_eq!(standing(&book), [("a".to_owned(), 1)]);
    let since: Vec<u32> = book
        .rules()
        .iter()
        .map(|rule| rule.since_revision)
        .collect();
    assert_eq!(since, [1, 2]);
    assert_eq!(record(&bench, 2, &[turn("b", 1, true, 20)]).await, [true]);
    let status = change(&bench, RuleSet::Without(vec!["bb".into()]))
        .await
        .unwrap_err();
    assert!(
        status
            .to_string()
            .contains("no rule \"bb\"; did you mean \"b\"?"),
        "{status}"
    );
    let gone = change(&bench, RuleSet::Without(vec!["a".into(), "b".into()]))
        .await
        .unwrap();
    assert_eq!((gone.rules, gone.withdrawn), (0, 2));
    assert_eq!(standing(&bench.plant().rules()), []);
}

/// Many large rules take several events, which take effect together.
#[tokio::test(flavor = "multi_thread")]
async fn rules_larger_than_an_event_apply_as_one() {
    let bench = Bench::new().await;
    let long = |number: usize| rule(&format!("r{number}"), &"x".repeat(8_000));
    let rules: Vec<KeptRule> = (0..40).map(long).collect();
    let before = bench.plant().position().get();
    let changed = change(&bench, RuleSet::These(rules.clone())).await.unwrap();
    assert!(changed.position.get() - before > 10, "{changed:?}");
    let plant = bench.plant();
    for known in before..changed.position.get() {
        assert_eq!(plant.rules_at(Position(known), None).unwrap().rules, []);
    }
    let ruled = plant.rules_at(changed.position, None).unwrap();
    assert_eq!((ruled.rules.len(), ruled.why.as_str()), (40, "test"));
    assert_eq!(ruled.rules, plant.rules().rules());
    let bench = bench.reopen().await;
    assert_eq!(bench.plant().rules().rules(), ruled.rules);
}
