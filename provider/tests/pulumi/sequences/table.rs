//! The sequences.

use serde_json::json;

use super::{Choice, Command, Ends, Event, Sequence, Step, Wish};
use Command::{
    Destroy, DestroyCtrlC, DestroyCtrlCTwice, DestroyKillEngine, DestroyKillProvider, Forget, Import,
    Preview, Refresh, Taint, Up, UpCtrlC, UpCtrlCTwice, UpKillEngine, UpKillProvider, UpReplace,
    UpTargetReplace,
};

fn well(command: Command) -> Step {
    Step::Give(command, Ends::Well)
}

fn badly(command: Command, part: &'static str) -> Step {
    Step::Give(command, Ends::Badly(part))
}

fn option(option: Choice) -> Step {
    Step::Write(Wish { option, ..Wish::new() })
}

/// All of them.
pub(crate) fn table() -> Vec<Sequence> {
    vec![
        life(),
        replace(),
        rename(),
        import(),
        half(),
        drift(),
        config(),
        Sequence { name: "ctrlc", steps: interrupted(UpCtrlC, "Stopped half-way") },
        Sequence { name: "ctrlc2", steps: interrupted(UpCtrlCTwice, "") },
        Sequence { name: "killed-engine", steps: interrupted(UpKillEngine, "") },
        Sequence { name: "killed-plugin", steps: interrupted(UpKillProvider, "") },
        stopped_destructions(),
        stopped_updates(),
        twins(),
        views(),
    ]
}

/// Preview, up, nothing to do, an override, refresh, another build, destroy.
fn life() -> Sequence {
    let overridden = json!({ "commands": { "placeOrder": { "memoryMb": 768 } } });
    let rebuilt = Wish { inputs: overridden.clone(), build: 2, ..Wish::new() };
    Sequence {
        name: "life",
        steps: vec![
            well(Preview),
            well(Up),
            well(Up),
            Step::Write(Wish { inputs: overridden, ..Wish::new() }),
            well(Preview),
            well(Up),
            well(Refresh),
            well(Up),
            Step::Write(rebuilt),
            well(Up),
            well(Up),
            Step::Write(Wish { inputs: json!({ "commands": { "plceOrder": {} } }), ..Wish::new() }),
            badly(Up, "commands.plceOrder: "),
            well(Destroy),
        ],
    }
}

/// Replacements that no property causes: the service is created first and must live on.
fn replace() -> Sequence {
    Sequence {
        name: "replace",
        steps: vec![
            well(Up),
            well(UpTargetReplace),
            well(Up),
            well(Taint),
            well(Up),
            well(Refresh),
            well(UpReplace),
            well(Up),
            option(Choice::DeleteFirst),
            well(UpReplace),
            well(Up),
            well(Destroy),
        ],
    }
}

/// A replacement that a property causes.
fn rename() -> Sequence {
    Sequence {
        name: "rename",
        steps: vec![
            well(Up),
            Step::Write(Wish { renamed: Some("other"), ..Wish::new() }),
            well(Preview),
            well(Up),
            well(Up),
            well(Destroy),
        ],
    }
}

/// A service that the state lost is imported, by command and by option; another program only reads it.
fn import() -> Sequence {
    Sequence {
        name: "import",
        steps: vec![
            well(Up),
            well(Forget),
            well(Up),
            well(Forget),
            well(Import),
            well(Up),
            well(Up),
            well(Forget),
            option(Choice::Import),
            well(Up),
            well(Up),
            Step::Backend(1),
            option(Choice::Get),
            well(Up),
            well(Refresh),
            well(Destroy),
            Step::Backend(0),
            option(Choice::None),
            well(Up),
            well(Destroy),
        ],
    }
}

/// A creation that fails in the middle, and is gone on with.
fn half() -> Sequence {
    Sequence {
        name: "half",
        steps: vec![
            Step::Happens(Event::ObstacleMade),
            badly(Up, "Something of this name is there"),
            badly(Up, "Something of this name is there"),
            Step::Happens(Event::ObstacleGone),
            well(Up),
            well(Up),
            well(Destroy),
        ],
    }
}

/// A child that vanished.
fn drift() -> Sequence {
    Sequence {
        name: "drift",
        steps: vec![
            well(Up),
            Step::Happens(Event::LogGroupGone),
            well(Refresh),
            well(Up),
            well(Refresh),
            well(Up),
            well(Destroy),
        ],
    }
}

/// Another configuration of the provider reaches the service.
fn config() -> Sequence {
    let tagged = Wish { provider: json!({ "defaultTags": r#"{"team":"tests"}"# }), ..Wish::new() };
    Sequence {
        name: "config",
        steps: vec![well(Up), Step::Write(tagged), well(Preview), well(Up), well(Up), well(Destroy)],
    }
}

/// A creation that was interrupted, and is gone on with.
fn interrupted(command: Command, says: &'static str) -> Vec<Step> {
    vec![badly(command, says), well(Up), well(Up), well(Destroy)]
}

/// Destructions that were interrupted, each gone on with by the next `destroy`.
fn stopped_destructions() -> Sequence {
    let mut steps = Vec::new();
    for command in [DestroyCtrlC, DestroyCtrlCTwice, DestroyKillEngine, DestroyKillProvider] {
        steps.extend([well(Up), badly(command, ""), well(Destroy)]);
    }
    Sequence { name: "stopped-destroy", steps }
}

/// Updates of every child, of its code too, that were interrupted, each gone on with by the next `up`. New code takes its time,
/// so that something is left when the interruption comes.
fn stopped_updates() -> Sequence {
    let mut steps = vec![well(Up)];
    let commands = [UpCtrlC, UpCtrlCTwice, UpKillEngine, UpKillProvider];
    for (round, command) in (0_u32..).zip(commands) {
        let (inputs, build) = (json!({ "tags": { "round": round.to_string() } }), 2 - round % 2);
        let says = if command == UpCtrlC { "Stopped half-way" } else { "" };
        steps.push(Step::Write(Wish { inputs, build, ..Wish::new() }));
        steps.extend([badly(command, says), well(Up), well(Up)]);
    }
    steps.push(well(Destroy));
    Sequence { name: "stopped-update", steps }
}

/// Two backends with stacks, projects and resources of the same names: neither takes the other's service.
fn twins() -> Sequence {
    Sequence {
        name: "twins",
        steps: vec![
            well(Up),
            Step::Backend(1),
            badly(Up, "is not in this state"),
            well(Destroy),
            Step::Backend(0),
            well(Up),
            well(UpReplace),
            well(Refresh),
            well(Destroy),
        ],
    }
}

/// Children as entries of their own: through changes, replacements of both orders, drift, and when switched off.
fn views() -> Sequence {
    let on = Wish { provider: json!({ "views": "true" }), ..Wish::new() };
    let overridden = json!({ "commands": { "placeOrder": { "memoryMb": 768 } } });
    Sequence {
        name: "views",
        steps: vec![
            Step::Write(on.clone()),
            well(Preview),
            well(Up),
            Step::Write(Wish { inputs: overridden, ..on.clone() }),
            well(Preview),
            well(Up),
            well(UpReplace),
            well(Up),
            Step::Write(Wish { renamed: Some("shown"), ..on.clone() }),
            well(Up),
            Step::Happens(Event::LogGroupGone),
            well(Refresh),
            well(Up),
            Step::Write(Wish { renamed: Some("shown"), ..Wish::new() }),
            well(Up),
            Step::Write(Wish {
                renamed: Some("shown"),
                inputs: json!({ "tags": { "a": "b" } }),
                ..Wish::new()
            }),
            well(Up),
            Step::Write(Wish { renamed: Some("shown"), ..on }),
            well(Up),
            well(Destroy),
        ],
    }
}
