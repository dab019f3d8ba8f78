//! Every string of a report. The patterns name every field, so that a new one does not compile
//! until it is decided here whether it holds names.

use std::collections::BTreeSet;

use portreeve_evidence::{EvidenceHole, Moved, Repeated, Verification};
use portreeve_graph::{AttackPath, Jewel, PathStep};
use portreeve_incident::actor::{Likeness, Resemblance};
use portreeve_incident::containment::{IncidentCut, Refused, SessionEnd};
use portreeve_incident::decide::ByPeople;
use portreeve_incident::eviction::{Evicted, RecordName};
use portreeve_incident::sight::Gap;
use portreeve_incident::{
    Chain, ChainedCredential, CredentialStory, ExceptionUse, Incident, Lead, NetworkUse, Report,
    ResponseStep, ScorePart, Tie, TimelineEntry, Touched, WalletEvent, WalletStory,
};
use portreeve_model::{
    BlindSpot, Coverage, CoverageCell, DeadLetter, EntityId, Evidence, Finding, Input,
};

use super::shared;

/// What a string of a report may hold.
#[derive(Clone, Copy)]
pub(super) enum Field {
    /// Names anywhere in it.
    Text,
    /// A policy's name, `#`, a statement's.
    Statement,
    /// A network address or a service's name.
    Address,
    /// The user's name for a network.
    Network,
    /// What an actor is called: a user name, a repository, an ARN.
    Person,
    /// A file's path.
    File,
    /// A trail's name.
    Trail,
    /// No name of its own; a name known from elsewhere is still replaced.
    Fixed,
}

type Visit<'v> = &'v mut dyn FnMut(Field, &mut String);

/// Visits every string that may hold a name.
pub(super) fn strings(report: &mut Report, visit: Visit<'_>) {
    let Report {
        version: _,
        rules_sha256: _,
        rules: _,
        simulated: _,
        incidents,
        wallets,
        findings,
        jewels,
        coverage,
        sight,
        exceptions,
        blind_spots,
        dead_letters,
        dead_letters_omitted: _,
        inputs,
        verification,
        notes,
        summary: _,
    } = report;
    incidents.iter_mut().for_each(|one| incident(one, visit));
    wallets.iter_mut().for_each(|one| wallet(one, visit));
    findings.iter_mut().for_each(|one| finding(one, visit));
    for Jewel {
        id,
        kind: _,
        reason,
    } in jewels
    {
        entity(id, visit);
        visit(Field::Text, reason);
    }
    coverage.iter_mut().for_each(|one| covered(one, visit));
    for ExceptionUse {
        id,
        state: _,
        muted: _,
        incidents,
        scope,
        from: _,
        expires: _,
        owner,
        reason,
        ticket,
    } in exceptions
    {
        // The user's own words may name anyone.
        texts([id, reason, ticket], visit);
        visit(Field::Network, owner);
        texts(scope, visit);
        fixed(incidents, visit);
    }
    let logs = sight
        .iter_mut()
        .flat_map(|profile| &mut profile.steps)
        .flat_map(|step| &mut step.logs);
    for Gap {
        account,
        region: _,
        from: _,
        until: _,
        why,
    } in logs.flat_map(|log| &mut log.gaps)
    {
        texts(account, visit);
        visit(Field::Text, why);
    }
    for BlindSpot {
        missing,
        consequence,
        remedy,
    } in blind_spots
    {
        texts([missing, consequence, remedy], visit);
    }
    for DeadLetter {
        file,
        offset: _,
        reason,
    } in dead_letters
    {
        shared(file, &mut |text| visit(Field::File, text));
        visit(Field::Text, reason);
    }
    for Input {
        file,
        kind: _,
        format: _,
        bytes: _,
        sha256: _,
        records: _,
        proof: _,
    } in inputs
    {
        shared(file, &mut |text| visit(Field::File, text));
    }
    if let Some(verification) = verification {
        verified(verification, visit);
    }
    texts(notes, visit);
}

fn verified(verification: &mut Verification, visit: Visit<'_>) {
    let Verification {
        keys,
        chains,
        holes,
        moved,
        repeated,
        digests,
        logs,
    } = verification;
    for key in keys {
        shared(&mut key.file, &mut |text| visit(Field::File, text));
    }
    let places = chains.iter_mut().map(|chain| &mut chain.place);
    for place in places.chain(digests.iter_mut().map(|digest| &mut digest.place)) {
        visit(Field::Text, &mut place.account);
        visit(Field::Trail, &mut place.trail);
    }
    holes.iter_mut().for_each(|one| evidence_hole(one, visit));
    for Moved {
        file,
        object,
        renamed: _,
    } in moved
    {
        shared(file, &mut |text| visit(Field::File, text));
        visit(Field::File, object);
    }
    for Repeated { file, of } in repeated {
        shared(file, &mut |text| visit(Field::File, text));
        shared(of, &mut |text| visit(Field::File, text));
    }
    for digest in digests {
        shared(&mut digest.file, &mut |text| visit(Field::File, text));
        visit(Field::File, &mut digest.object);
        visit(Field::Text, &mut digest.reason);
    }
    for log in logs {
        if let Some(file) = &mut log.file {
            shared(file, &mut |text| visit(Field::File, text));
        }
        if let Some(object) = &mut log.object {
            visit(Field::File, object);
        }
        texts([&mut log.account, &mut log.reason], visit);
    }
}

fn evidence_hole(hole: &mut EvidenceHole, visit: Visit<'_>) {
    let EvidenceHole {
        from: _,
        until: _,
        kind: _,
        account,
        region: _,
        trail,
        object,
        file,
        reason,
    } = hole;
    texts([account, reason], visit);
    visit(Field::Trail, trail);
    if !object.is_empty() {
        visit(Field::File, object);
    }
    if let Some(file) = file {
        shared(file, &mut |text| visit(Field::File, text));
    }
}

fn texts<'a>(strings: impl IntoIterator<Item = &'a mut String>, visit: Visit<'_>) {
    strings
        .into_iter()
        .for_each(|text| visit(Field::Text, text));
}

fn fixed<'a>(strings: impl IntoIterator<Item = &'a mut String>, visit: Visit<'_>) {
    strings
        .into_iter()
        .for_each(|text| visit(Field::Fixed, text));
}

fn entity(id: &mut EntityId, visit: Visit<'_>) {
    let mut text = id.as_str().to_owned();
    visit(Field::Text, &mut text);
    if text != id.as_str() {
        *id = text.into();
    }
}

fn step_of_response(step: &mut ResponseStep, visit: Visit<'_>) {
    let ResponseStep {
        title,
        command,
        caveat,
    } = step;
    visit(Field::Text, title);
    texts(command, visit);
    texts(caveat, visit);
}

fn incident_cut(cut: &mut IncidentCut, visit: Visit<'_>) {
    let IncidentCut {
        from,
        proven: _,
        minimal: _,
        least_cost: _,
        cost: _,
        bound: _,
        candidates: _,
        changes,
        left: _,
        refused,
        replayed: _,
        sessions,
        reach,
    } = cut;
    from.iter_mut().for_each(|id| entity(id, visit));
    changes
        .iter_mut()
        .for_each(|one| step_of_response(one, visit));
    for Refused {
        principal,
        sessions,
        action,
        operation,
        resource,
        refusal: _,
        reason,
        calls: _,
        first: _,
        last: _,
    } in refused
    {
        entity(principal, visit);
        for session in sessions {
            visit(Field::Person, session);
        }
        fixed([action, operation], visit);
        visit(Field::Text, resource);
        texts(reason, visit);
    }
    for SessionEnd {
        credential,
        ends: _,
        at_latest: _,
    } in sessions
    {
        visit(Field::Text, credential);
    }
    texts(reach, visit);
}

fn incident(incident: &mut Incident, visit: Visit<'_>) {
    let Incident {
        id,
        severity: _,
        score: _,
        score_parts,
        headline,
        narrative,
        first_sign: _,
        last_activity: _,
        principals,
        credentials,
        credential_stories,
        chains,
        techniques: _,
        tactics: _,
        findings,
        timeline,
        touched: touched_resources,
        paths,
        response,
        cut,
        likeness,
        containment: _,
        eviction,
        muted: _,
        evidence_holes,
        proof: _,
        wallets,
        by_people,
    } = incident;
    if let Some(by_people) = by_people {
        let ByPeople {
            joined,
            without,
            part_of,
        } = by_people;
        for ids in [joined, without, part_of] {
            fixed(ids, visit);
        }
    }
    wallets.iter_mut().for_each(|one| wallet(one, visit));
    evidence_holes
        .iter_mut()
        .for_each(|one| evidence_hole(one, visit));
    texts(principals, visit);
    texts(credentials, visit);
    credential_stories
        .iter_mut()
        .for_each(|one| story(one, visit));
    chains.iter_mut().for_each(|one| chain(one, visit));
    visit(Field::Fixed, id);
    for ScorePart { reason, points: _ } in score_parts {
        visit(Field::Text, reason);
    }
    visit(Field::Text, headline);
    texts(narrative, visit);
    fixed(findings, visit);
    timeline.iter_mut().for_each(|one| entry(one, visit));
    touched_resources
        .iter_mut()
        .for_each(|one| touched(one, visit));
    paths.iter_mut().for_each(|one| path(one, visit));
    response
        .iter_mut()
        .for_each(|one| step_of_response(one, visit));
    cut.iter_mut().for_each(|one| incident_cut(one, visit));
    for Evicted {
        kind: _,
        id,
        how: _,
        since: _,
        record,
        state: _,
        until: _,
        why,
        shown_by,
        fired,
        fired_total: _,
    } in eviction
    {
        texts([id, why], visit);
        for RecordName {
            time: _,
            action,
            actor,
            event_id,
            file,
            index: _,
        } in record.iter_mut().chain(shown_by).chain(fired)
        {
            visit(Field::Fixed, action);
            visit(Field::Text, actor);
            fixed(event_id, visit);
            if let Some(file) = file {
                shared(file, &mut |text| visit(Field::File, text));
            }
        }
    }
    for Likeness {
        // An intruder's public name is nobody's secret.
        actor: _,
        title: _,
        score: _,
        like,
        unlike,
    } in likeness
    {
        for Resemblance {
            id: _,
            words,
            points: _,
            basis: _,
        } in like.iter_mut().chain(unlike)
        {
            visit(Field::Text, words);
        }
    }
}

fn wallet(story: &mut WalletStory, visit: Visit<'_>) {
    let WalletStory {
        wallet,
        // What is on a public chain names nobody, and is how the story is checked.
        address: _,
        id: _,
        severity: _,
        ties,
        events,
        loss: _,
        before_loss,
        response,
    } = story;
    response
        .iter_mut()
        .for_each(|one| step_of_response(one, visit));
    visit(Field::Text, wallet);
    for Tie {
        kind: _,
        target,
        time: _,
        action,
        actor,
        event_id,
        certainty: _,
    } in ties
    {
        visit(Field::Text, target);
        visit(Field::Fixed, action);
        visit(Field::Text, actor);
        fixed(event_id, visit);
    }
    for WalletEvent {
        time: _,
        severity: _,
        rule,
        reason,
        block: _,
        hash: _,
        loss: _,
    } in events
    {
        visit(Field::Fixed, rule);
        visit(Field::Text, reason);
    }
    for Lead {
        what,
        time: _,
        seconds: _,
    } in before_loss
    {
        visit(Field::Text, what);
    }
}

fn chain(chain: &mut Chain, visit: Visit<'_>) {
    let Chain {
        person,
        networks,
        clients,
        first: _,
        last: _,
        days: _,
        credentials,
    } = chain;
    visit(Field::Person, person);
    networks
        .iter_mut()
        .for_each(|text| visit(Field::Network, text));
    texts(clients, visit);
    for ChainedCredential {
        credential,
        first: _,
        last: _,
        calls: _,
    } in credentials
    {
        visit(Field::Text, credential);
    }
}

fn story(story: &mut CredentialStory, visit: Visit<'_>) {
    let CredentialStory {
        credential,
        actor,
        parent,
        minted_by,
        certainty: _,
        reason,
        created: _,
        expires: _,
        networks,
    } = story;
    texts([credential, actor], visit);
    texts(parent, visit);
    visit(Field::Fixed, minted_by);
    fixed(reason, visit);
    for NetworkUse {
        address,
        class,
        client,
        first: _,
        last: _,
        calls: _,
        suspect: _,
    } in networks
    {
        visit(Field::Address, address);
        visit(Field::Network, class);
        texts(client, visit);
    }
}

fn entry(entry: &mut TimelineEntry, visit: Visit<'_>) {
    let TimelineEntry {
        time: _,
        action,
        outcome,
        actor,
        credential,
        targets,
        address,
        event_id,
        file,
        index: _,
        offset: _,
        finding,
        role: _,
    } = entry;
    fixed([action, outcome], visit);
    visit(Field::Text, actor);
    texts(credential, visit);
    texts(targets, visit);
    address
        .iter_mut()
        .for_each(|text| visit(Field::Address, text));
    fixed(event_id, visit);
    shared(file, &mut |text| visit(Field::File, text));
    fixed(finding, visit);
}

fn touched(touched: &mut Touched, visit: Visit<'_>) {
    let Touched {
        resource,
        objects: _,
        actions,
        written: _,
        succeeded: _,
        jewel,
    } = touched;
    visit(Field::Text, resource);
    fixed(actions.iter_mut().map(|(action, _)| action), visit);
    fixed(jewel, visit);
}

fn path(path: &mut AttackPath, visit: Visit<'_>) {
    let AttackPath {
        from,
        to,
        conditions,
        steps,
    } = path;
    entity(from, visit);
    entity(to, visit);
    fixed(conditions, visit);
    for PathStep {
        from,
        to,
        via,
        title,
        permissions,
        conditions,
        statements,
    } in steps
    {
        entity(from, visit);
        entity(to, visit);
        fixed([via, title], visit);
        fixed(permissions, visit);
        fixed(conditions, visit);
        statements
            .iter_mut()
            .for_each(|text| visit(Field::Statement, text));
    }
}

fn finding(finding: &mut Finding, visit: Visit<'_>) {
    let Finding {
        id,
        rule,
        title,
        severity: _,
        time: _,
        last_time: _,
        source: _,
        actor,
        credential,
        targets,
        techniques: _,
        tactics: _,
        evidence,
        evidence_total: _,
        // Licences ask that it be shown as it is.
        rule_author: _,
        details,
        muted_by,
    } = finding;
    texts([&mut *actor], visit);
    fixed(muted_by, visit);
    texts(credential, visit);
    texts(targets, visit);
    fixed([id, rule], visit);
    visit(Field::Text, title);
    details.iter_mut().for_each(|text| visit(Field::Text, text));
    for Evidence {
        file,
        index: _,
        offset: _,
        event_id,
        time: _,
        action,
    } in evidence
    {
        shared(file, &mut |text| visit(Field::File, text));
        fixed(event_id, visit);
        visit(Field::Fixed, action);
    }
}

fn covered(coverage: &mut Coverage, visit: Visit<'_>) {
    let Coverage {
        source: _,
        first: _,
        last: _,
        records: _,
        duplicates: _,
        without_time: _,
        accounts,
        regions: _,
        event_kinds: _,
        days_without_records: _,
        services,
        cells,
        cells_omitted: _,
    } = coverage;
    *services = std::mem::take(services)
        .into_iter()
        .map(|(mut account, services)| {
            visit(Field::Text, &mut account);
            (account, services)
        })
        .collect();
    for CoverageCell {
        account,
        region: _,
        kind: _,
        records: _,
        hours: _,
        first: _,
        last: _,
        holes: _,
    } in cells
    {
        visit(Field::Text, account);
    }
    let visited: BTreeSet<String> = std::mem::take(accounts)
        .into_iter()
        .map(|mut account| {
            visit(Field::Text, &mut account);
            account
        })
        .collect();
    *accounts = visited;
}
