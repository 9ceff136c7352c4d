//! Who is asking: the stack whose state holds this provider, and in it the resource; and the same for people.
//!
//! A creation is told neither the state nor whether there was one: it may be the retry of one whose answer was lost, the
//! first half of a replacement that creates before it deletes, or another stack's that wants the same name. The URN does
//! not tell them apart, because two backends can hold stacks of equal names. What does is the id of the provider's own
//! entry in the state, which the engine makes up once per stack, keeps, writes down before the first resource, and tells
//! with every configuration. With the URN it is the claimant: the two together are one resource of one state.
//!
//! The id is another one after the entry was made anew (another version of the package, another explicit provider). Then
//! the next update of the service writes it down; until that, only a replacement that creates first is refused, and says
//! who holds the service. Of a creation that nobody was told of, whoever creates next is the heir: that needs no claimant.

use eventual_schema::digest::sha256_hex;

/// Who asks for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asking {
    /// The same for every operation on one resource of one state, and different for everything else.
    pub(crate) claimant: String,
    /// The stack and the resource, for people.
    pub(crate) holder: String,
}

impl Asking {
    /// `entry` is the id of the provider's entry; engines before 3.154 do not tell it. Without it the claimant is random:
    /// then nothing is adopted that somebody may know of, which refuses more, not less.
    pub(crate) fn of(entry: Option<&str>, urn: &str) -> Self {
        let claimant = match entry {
            Some(entry) => sha256_hex(format!("{entry} {urn}").as_bytes()),
            None => random(),
        };
        Self { claimant, holder: holder(urn) }
    }
}

fn random() -> String {
    let mut bytes = [0; 16];
    if getrandom::getrandom(&mut bytes).is_err() {
        return format!("process {}", std::process::id());
    }
    sha256_hex(&bytes)
}

/// `urn:pulumi:<stack>::<project>::<type>::<name>` in words.
fn holder(urn: &str) -> String {
    let parts: Vec<&str> = urn.splitn(4, "::").collect();
    let [stack, project, _, name] = parts.as_slice() else { return format!("Pulumi, resource {urn}") };
    let stack = stack.rsplit(':').next().unwrap_or_default();
    format!("Pulumi stack {stack} of project {project}, resource {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URN: &str = "urn:pulumi:dev::shop::eventual:index:Service::orders";

    #[test]
    fn equal_urns_of_two_states_are_two_claimants() {
        let mine = Asking::of(Some("id-1"), URN);
        assert_eq!(mine, Asking::of(Some("id-1"), URN));
        assert_ne!(mine.claimant, Asking::of(Some("id-2"), URN).claimant);
        assert_ne!(mine.claimant, Asking::of(Some("id-1"), &format!("{URN}-2")).claimant);
        assert!(!mine.claimant.contains("id-1"));
    }

    #[test]
    fn without_an_entry_nobody_asks_twice() {
        assert_ne!(Asking::of(None, URN).claimant, Asking::of(None, URN).claimant);
    }

    #[test]
    fn people_read_stack_and_resource() {
        assert_eq!(Asking::of(None, URN).holder, "Pulumi stack dev of project shop, resource orders");
        assert_eq!(holder("odd"), "Pulumi, resource odd");
    }
}
