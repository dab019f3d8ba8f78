//! The watch comes to what an investigation of the same records comes to, whatever happens to its inputs.

mod house;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::time::Duration;

use house::{House, compressed};

#[test]
fn the_watch_says_what_an_investigation_says() {
    let house = House::simulated();
    let expected = house.investigated();
    assert!(!expected.incidents.is_empty() && expected.findings.len() > 10);
    house.catch_up();
    assert_eq!(house.stored(), expected);
    // Begun again it takes in nothing twice, and has nothing to change.
    let revision = house.revision();
    house.catch_up();
    assert_eq!(house.stored(), expected);
    assert_eq!(
        house.revision(),
        revision + 1,
        "the fold at the start, and no other"
    );
    assert_eq!(house.records_in_log(), house.records());
}

#[test]
fn files_that_come_one_by_one_in_any_order_make_the_same() {
    let house = House::simulated();
    let expected = house.investigated();
    let logs = house.take_logs_away();
    let watching = house.watch();
    let mut order: Vec<_> = logs.iter().collect();
    order.reverse();
    let half = order.len() / 2;
    for (path, bytes) in &order[..half] {
        house.put(path, bytes);
    }
    watching.wait_for(|house| house.records_in_log() > 0);
    for (path, bytes) in &order[half..] {
        house.put(path, bytes);
    }
    watching.wait_for(|house| house.records_in_log() == house.records());
    watching.stop();
    assert_eq!(house.stored(), expected);
}

#[test]
fn lines_count_once_their_end_is_written() {
    let house = House::simulated();
    let lines = house.take_logs_as_lines();
    let text = lines.join("\n") + "\n";
    let path = house.logs().join("audit.ndjson");
    fs::write(&path, &text).unwrap();
    let expected = house.investigated();
    fs::write(&path, "").unwrap();
    let watching = house.watch();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    // Written in pieces that end within lines.
    let bytes = text.as_bytes();
    let pieces: Vec<&[u8]> = bytes.chunks(bytes.len() / 7 + 1).collect();
    for (number, piece) in pieces.iter().enumerate() {
        file.write_all(piece).unwrap();
        let so_far = ((bytes.len() / 7 + 1) * (number + 1)).min(bytes.len());
        let whole = lines_in(bytes[..so_far].iter());
        if number + 1 < pieces.len() {
            watching.wait_for(|house| house.records_in_log() >= whole);
            assert_eq!(house.records_in_log(), whole);
        }
    }
    watching.wait_for(|house| house.records_in_log() == lines.len() as u64);
    watching.stop();
    assert_eq!(house.stored(), expected);
    assert_eq!(house.dead_letters(), 0);
}

fn lines_in<'b>(bytes: impl Iterator<Item = &'b u8>) -> u64 {
    bytes.filter(|byte| **byte == b'\n').count() as u64
}

#[test]
fn a_half_written_document_is_waited_for_and_then_taken_as_far_as_it_goes() {
    let house = House::simulated();
    let lines = house.take_logs_as_lines();
    let document = format!("{{\"Records\":[{}]}}", lines.join(","));
    let bytes = compressed(document.as_bytes());
    let whole = house.logs().join("whole.json.gz");
    let broken = house.logs().join("broken.json.gz");
    let watching = house.watch();
    // Half of it: nothing is taken yet, and nothing is told to be broken.
    fs::write(&whole, &bytes[..bytes.len() / 2]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((house.records_in_log(), house.dead_letters()), (0, 0));
    fs::write(&whole, &bytes).unwrap();
    watching.wait_for(|house| house.records_in_log() == lines.len() as u64);
    assert_eq!(house.dead_letters(), 0);
    // One that stays half is taken as far as it goes once it has settled, and its end told.
    fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    watching.wait_for(|house| house.dead_letters() > 0);
    watching.stop();
    assert!(house.records_in_log() > lines.len() as u64);
}

#[test]
fn rotation_loses_nothing_and_takes_nothing_twice() {
    let house = House::simulated();
    let lines = house.take_logs_as_lines();
    let (first, rest) = lines.split_at(lines.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    let path = house.logs().join("audit.ndjson");
    let watching = house.watch();
    fs::write(&path, first.join("\n") + "\n").unwrap();
    watching.wait_for(|house| house.records_in_log() == first.len() as u64);
    // Renamed, written on for a moment by who has it open, and a new one of the same name.
    let old = house.logs().join("audit.ndjson.1");
    fs::rename(&path, &old).unwrap();
    let mut open = OpenOptions::new().append(true).open(&old).unwrap();
    writeln!(open, "{}", second[0]).unwrap();
    fs::write(&path, second[1..].join("\n") + "\n").unwrap();
    let so_far = (first.len() + second.len()) as u64;
    watching.wait_for(|house| house.records_in_log() == so_far);
    // Cut and begun anew in its place.
    fs::write(&path, third.join("\n") + "\n").unwrap();
    watching.wait_for(|house| house.records_in_log() == lines.len() as u64);
    watching.stop();
    house.catch_up();
    assert_eq!(house.records_in_log(), lines.len() as u64);
}

#[test]
fn a_moved_folder_is_not_read_again() {
    let mut house = House::simulated();
    house.catch_up();
    let before = house.records_in_log();
    house.copy_logs_in_place();
    house.catch_up();
    assert_eq!(house.records_in_log(), before);
}

#[test]
fn what_comes_twice_and_what_comes_late_makes_the_same() {
    let house = House::simulated();
    let expected = house.investigated();
    let logs = house.take_logs_away();
    // The records of the first file again, under a later name: evidence points to the first.
    let (path, bytes) = logs.iter().next().unwrap();
    let (late, others): (Vec<_>, Vec<_>) = logs
        .iter()
        .partition(|(path, _)| path.ends_with(".json.gz") && path.len() % 5 == 0);
    for (path, bytes) in &others {
        house.put(path, bytes);
    }
    house.catch_up();
    for (path, bytes) in &late {
        house.put(path, bytes);
    }
    house.put(&format!("zz/{}", path.rsplit('/').next().unwrap()), bytes);
    house.catch_up();
    assert_eq!(house.stored(), expected);
}

#[test]
fn a_full_store_is_waited_for_and_nothing_is_lost() {
    let house = House::simulated();
    let expected = house.investigated();
    let watching = house.watch_with_a_store_that_fails(4);
    watching.wait_for(|house| house.records_in_log() == house.records());
    watching.stop();
    assert_eq!(house.stored(), expected);
}

#[test]
fn inventory_is_read_again_and_the_difference_told() {
    let house = House::simulated();
    let inventory = house.take_inventory_away();
    let watching = house.watch();
    watching.wait_for(|house| house.records_in_log() == house.records());
    assert!(watching.board().shown().unwrap().report.jewels.is_empty());
    for (path, bytes) in &inventory {
        house.put(path, bytes);
    }
    watching.wait(|board| {
        let shown = board.shown();
        shown.is_some_and(|shown| {
            shown.inventory_change.is_some() && !shown.report.jewels.is_empty()
        })
    });
    watching.stop();
    assert_eq!(house.stored(), house.investigated());
}

#[test]
fn an_unreadable_file_is_told_once_and_the_others_are_read() {
    let house = House::simulated();
    let path = house.logs().join("odd.json");
    // A folder's name where a file should be cannot be opened as one; a link to nowhere neither.
    #[cfg(unix)]
    std::os::unix::fs::symlink(house.logs().join("nowhere"), &path).unwrap();
    #[cfg(not(unix))]
    drop(File::create(&path).unwrap());
    house.catch_up();
    assert_eq!(house.records_in_log(), house.records());
}

#[test]
fn records_handed_in_are_acknowledged_once_stored() {
    let house = House::simulated();
    let lines = house.take_logs_as_lines();
    let watching = house.watch();
    let body = lines[..200].join("\n");
    let receipt = watching
        .intake()
        .offer("http:soc", body.as_bytes())
        .unwrap();
    assert_eq!(receipt.records, 200);
    let revision = receipt.wait().unwrap();
    assert!(house.revision() >= revision);
    assert_eq!(house.records_in_log(), 200);
    // The same again: taken, and counted once.
    watching
        .intake()
        .offer("http:soc", body.as_bytes())
        .unwrap()
        .wait()
        .unwrap();
    let shown = watching.board().shown().unwrap();
    assert_eq!(shown.report.coverage[0].records, 200);
    assert_eq!(shown.report.coverage[0].duplicates, 200);
    watching.stop();
}

#[test]
fn two_watches_do_not_share_a_folder() {
    let house = House::simulated();
    let watching = house.watch();
    let error = portreeve_engine::serve::DataFolder::take(house.data()).unwrap_err();
    assert!(
        error.to_string().contains("another `portreeve serve`"),
        "{error}"
    );
    watching.stop();
    assert!(portreeve_engine::serve::DataFolder::take(house.data()).is_ok());
    let _ = File::open(house.data()).unwrap();
}
