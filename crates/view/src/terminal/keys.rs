use portreeve_graph::Key;
use portreeve_incident::OverPermissive;

use super::page::{FAINT, GOOD, JEWEL, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out, surroundings};
use crate::keys::{Keys, called, described, kept, opens};
use crate::{name, text};

/// How many policies are printed where lists are limited: each takes a screen.
const POLICIES: usize = 2;

/// Credentials: in numbers, the master keys, those that nobody uses, who is allowed too much.
pub(super) fn keys(page: &mut Page, keys: &Keys<'_>, options: &Options) {
    let counts = keys.counts();
    let kinds: Vec<String> = keys
        .kinds()
        .into_iter()
        .map(|(kind, count)| format!("{} {}", text::count(count as u64), kind.title()))
        .collect();
    page.spans(
        0,
        &[
            Span(
                STRONG,
                text::counted(counts.keys as u64, "credential", "credentials"),
            ),
            plain(": "),
            Span(
                if counts.masters > 0 { SUSPECT } else { GOOD },
                text::counted(counts.masters as u64, "opens", "open"),
            ),
            plain(" an account or a crown jewel, "),
            plain(format!(
                "{} of the long-lived ones were not used for {} days.",
                text::count(counts.unused as u64),
                keys.ring.unused_days
            )),
        ],
    );
    page.spans(2, &[faint(format!("By kind: {}.", kinds.join(", ")))]);
    if let Some(time) = keys.ring.as_of {
        page.spans(2, &[faint(format!("Ages as of {}.", text::day(time)))]);
    }
    let masters = keys.masters();
    if !masters.is_empty() {
        page.heading(&format!(
            "Master keys ({})",
            text::count(counts.masters as u64)
        ));
        for (place, key) in masters.iter().enumerate() {
            master(page, place + 1, key, keys);
        }
        let left = counts.masters.saturating_sub(masters.len());
        left_out(page, left as u64, "master key", "master keys", options);
    }
    let most = options.list.unwrap_or(counts.unused);
    if counts.unused > 0 {
        page.heading(&format!("Unused ({})", text::count(counts.unused as u64)));
        for key in keys.unused().take(most) {
            let spans = [
                Span(STRONG, format!("  {}", called(key))),
                plain(format!("  {}", described(key))),
                faint(format!("  {}", keys.life(key))),
            ];
            page.spans(4, &spans);
        }
        let left = counts.unused.saturating_sub(most);
        left_out(page, left as u64, "key", "keys", options);
    }
    if counts.use_unknown > 0 {
        let unknown = text::counted(
            counts.use_unknown as u64,
            "long-lived key",
            "long-lived keys",
        );
        let told = "the credential report of its account tells";
        page.spans(2, &[faint(format!("Of {unknown} no use is told: {told}."))]);
    }
    over_permissive(page, keys, options);
    surroundings::blind_spots(page, keys.blind_spots, options);
}

fn master(page: &mut Page, place: usize, key: &Key, keys: &Keys<'_>) {
    let account = key
        .account
        .as_deref()
        .map_or_else(String::new, |account| format!(", {account}"));
    page.spans(
        5,
        &[
            faint(format!("{place:>3}. ")),
            Span(JEWEL, called(key).to_owned()),
            plain(format!("  {}", described(key))),
            faint(account),
        ],
    );
    let mut spans = vec![plain("     opens "), Span(SUSPECT, opens(key.opens))];
    if let Some(reached) = key.reached {
        let reached = text::counted(reached as u64, "entity", "entities");
        spans.push(faint(format!("; reaches {reached}")));
    }
    page.spans(5, &spans);
    page.spans(5, &[faint(format!("     {}", keys.life(key)))]);
}

fn over_permissive(page: &mut Page, keys: &Keys<'_>, options: &Options) {
    let list = &keys.ring.over_permissive;
    if !keys.ring.has_history {
        let say = "Give logs with --history for what each principal really uses, and the policy that would do.";
        page.gap();
        page.spans(2, &[Span(FAINT, say.to_owned())]);
        return;
    }
    if list.is_empty() {
        return;
    }
    let count = text::count(list.len() as u64);
    page.heading(&format!("Allowed more than they used ({count})"));
    let most = options
        .list
        .map_or(list.len(), |_| POLICIES)
        .min(list.len());
    for (place, one) in list.iter().take(most).enumerate() {
        if place > 0 {
            page.gap();
        }
        principal(page, one);
    }
    left_out(
        page,
        (list.len() - most) as u64,
        "principal",
        "principals",
        options,
    );
}

fn principal(page: &mut Page, one: &OverPermissive) {
    page.spans(
        4,
        &[
            Span(STRONG, format!("  {}", name::short(one.principal.as_str()))),
            plain(format!(
                "  used {} in {}; opens {}",
                text::counted(one.used.len() as u64, "action", "actions"),
                text::counted(one.calls, "call", "calls"),
                opens(one.opens)
            )),
        ],
    );
    for (label, words) in [
        ("unused", one.least.unused.join(", ")),
        ("narrowed", one.least.narrowed.join(", ")),
        ("text unknown", one.least.unseen.join(", ")),
    ] {
        if !words.is_empty() {
            page.field(label, vec![plain(words)]);
        }
    }
    for (reason, actions) in kept(one) {
        page.field(
            "kept unseen",
            vec![faint(format!("{reason}: ")), plain(actions)],
        );
    }
    page.field("would do", Vec::new());
    if let Ok(policy) = serde_json::to_string_pretty(&one.least.policy) {
        page.command(&policy);
    }
}
