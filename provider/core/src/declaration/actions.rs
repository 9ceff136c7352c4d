//! What can be done with a service beside deploying it: calling a command, asking the system function, redriving dead
//! letters.

use super::{Attribute, Kind, Object};

fn service() -> Attribute {
    Attribute::required("service", Kind::String, "Name of the deployment.")
}

pub(super) fn invoke_command() -> Object {
    Object {
        name: "InvokeCommand",
        description: "Calls a command of a service and waits for its answer, through the command's function and with the \
                      provider's credentials, so that it works whatever the command's auth is. The input is checked \
                      first. The answer itself is not shown; a failure is.",
        attributes: vec![
            service(),
            Attribute::required("command", Kind::String, "Name of the command, such as `placeOrder`."),
            Attribute::optional(
                "input_json",
                Kind::String,
                "Its input, as JSON, such as `jsonencode({ id = 1 })`. Default: none.",
            ),
        ],
    }
}

pub(super) fn invoke_system() -> Object {
    Object {
        name: "InvokeSystem",
        description: "Asks the system function of a service, which starts, signals, cancels, terminates, pauses and resumes \
                      executions. Waits for its answer, not for the execution.",
        attributes: vec![
            service(),
            Attribute::required(
                "request_json",
                Kind::String,
                "What is asked, as JSON, such as `jsonencode({ op = \"start\", workflow = \"processOrder\", name = \"1\", \
                 input = {} })`. Operations: `start`, `get`, `list`, `history`, `signal`, `query`, `cancel`, `terminate`, \
                 `pause`, `resume`.",
            ),
        ],
    }
}

pub(super) fn redrive() -> Object {
    Object {
        name: "Redrive",
        description: "Gives what is in a dead-letter queue of a service back to where it came from: messages to executions, \
                      timers, events to their subscriptions. Each is removed only after it was delivered. What a stream \
                      left (a batch of the relay) cannot be redriven and stays.",
        attributes: vec![
            service(),
            Attribute::optional(
                "queue",
                Kind::String,
                "`workflows` for messages to executions, `other` for timers, events and the relay. Default: both.",
            ),
            Attribute::optional(
                "limit",
                Kind::Number,
                "Most messages that are redriven, 1 to 1000000. Default: as many as there are when it begins.",
            ),
        ],
    }
}
