//! What the organisation says of its wallets.

use std::fmt::Write;

use alloy_primitives::Address;

use super::Vault;
use super::safe::{FALLBACK_HANDLER, IMPLEMENTATION};
use super::treasury::Treasury;
use crate::organisation::{Organisation, SIGN};

/// The page that the Safes' signers use; the inventory's distribution serves it.
const PAGE: &str = "https://app.halyard.example";

/// `wallets.toml`, as it stood before the first day.
pub(super) fn text(treasury: &Treasury, organisation: &Organisation) -> String {
    let mut text = format!(
        "# Simulated: what the fictional organisation Halyard says of its wallets.\nannouncers = {}\n",
        quoted(&[treasury.announcer.address])
    );
    safe(&mut text, Vault::Cold, treasury, &[treasury.warm.address]);
    safe(&mut text, Vault::Warm, treasury, &treasury.partners);
    let signer = organisation.role(SIGN, "signer").arn;
    let _ = write!(
        text,
        "\n[[wallet]]\nname = \"hot\"\naddress = \"{}\"\nrole = \"hot\"\nsigning_key = \"{}\"\nsigners = [\"{signer}\"]\n",
        treasury.hot, organisation.signing_key
    );
    for announcement in &treasury.announcements {
        let hash = announcement.safe_tx_hash.unwrap_or_default();
        let _ = write!(
            text,
            "\n[[announcement]]\nwallet = \"{}\"\nwhat = \"rotation\"\nfrom = \"{}\"\nuntil = \"{}\"\nsafe_tx_hash = \"{hash}\"\nreason = \"{}\"\nsignature = \"{}\"\n",
            announcement.wallet,
            announcement.from,
            announcement.until,
            announcement.reason,
            announcement.signature
        );
    }
    text
}

fn safe(text: &mut String, vault: Vault, treasury: &Treasury, recipients: &[Address]) {
    let safe = treasury.safe(vault);
    let name = match vault {
        Vault::Cold => "cold",
        Vault::Warm => "warm",
    };
    let _ = write!(
        text,
        "\n[[wallet]]\nname = \"{name}\"\naddress = \"{}\"\nrole = \"{name}\"\nowners = {}\nthreshold = {}\nimplementation = \"{IMPLEMENTATION}\"\nfallback_handler = \"{FALLBACK_HANDLER}\"\nexecutors = {}\nrecipients = {}\npage = \"{PAGE}\"\n",
        safe.address,
        quoted(treasury.first_owners(vault)),
        safe.threshold,
        quoted(&[treasury.relayer]),
        quoted(recipients),
    );
}

fn quoted(addresses: &[Address]) -> String {
    let quoted: Vec<String> = addresses
        .iter()
        .map(|address| format!("\"{address}\""))
        .collect();
    format!("[{}]", quoted.join(", "))
}
