//! What to do about an operation of the cloud that failed: the same words wherever users meet it, an apply or a check-up.

use crate::cloud::{CloudError, Trouble};

/// The error, and then what the user can do about it.
pub(super) fn advised(error: &CloudError) -> String {
    let advice = match error.trouble {
        Trouble::Denied => {
            " The credentials of the provider may not do this: give them the permission that the message names, or all that the provider's `policy` prints."
        }
        Trouble::Foreign => {
            " Something of this name is there that this deployment did not make: rename or remove it, or choose another `name`."
        }
        Trouble::Propagating => {
            " The role may not do this, or AWS has not seen its new permissions in all that time: apply again, then look at the role's policy."
        }
        Trouble::Throttled => {
            " AWS answers that there are too many calls: try again later, or raise the quota."
        }
        Trouble::Busy => {
            " AWS was still working on it when the time was over: apply again, or raise `timeouts`."
        }
        Trouble::Unreachable => {
            " AWS did not answer: look at the network, the proxy, the certificates and the endpoint, then try again."
        }
        Trouble::NotFound | Trouble::Lost | Trouble::Invalid | Trouble::Other => "",
    };
    format!("{error}.{advice}")
}
