//! An actor, and those who call it.

use std::time::Duration;

use eventual::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tasks::echo;

/// An account, by its name.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    balance: u64,
    open: u32,
    most_open: u32,
}

#[eventual::actor]
impl Account {
    /// Pays in, which takes a while, and tells the balance.
    pub async fn pay_in(&mut self, amount: u64) -> Result<u64> {
        self.open += 1;
        self.most_open = self.most_open.max(self.open);
        echo("a receipt".to_owned()).await?;
        eventual::sleep(Duration::from_millis(50)).await?;
        self.balance += amount;
        self.open -= 1;
        Ok(self.balance)
    }

    /// Pays out what is there.
    pub async fn pay_out(&mut self, amount: u64) -> Result<u64> {
        let left = self.balance.checked_sub(amount);
        self.balance = left.ok_or_else(|| Error::new("Overdrawn", format!("there are {}", self.balance)))?;
        Ok(self.balance)
    }

    /// Loses everything, and panics.
    pub async fn spoil(&mut self) {
        self.balance = 0;
        assert!(self.balance > 0, "on purpose");
    }

    /// How many calls were under way at once, at the most.
    pub async fn most_open(&self) -> u32 {
        self.most_open
    }
}

/// A payment from an account to another.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Transfer {
    from: String,
    to: String,
    amount: u64,
}

/// Pays out of one account and into another.
#[eventual::workflow]
pub async fn transfers(transfer: Transfer) -> Result<(u64, u64)> {
    let left = Account::at(transfer.from).pay_out(transfer.amount).await?;
    Ok((left, Account::at(transfer.to).pay_in(transfer.amount).await?))
}

/// Pays into an account.
#[eventual::command(uses(Account), timeout = "29s")]
pub async fn deposit(into: (String, u64)) -> Result<u64> {
    let (account, amount) = into;
    Ok(Account::at(account).pay_in(amount).await?)
}
