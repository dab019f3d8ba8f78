use std::thread;

/// Sorts a list on two threads, where it is long: ids that begin alike take long to compare.
pub fn sort<T: Ord + Send>(list: &mut [T]) {
    /// Fewer are sorted sooner than a thread begins.
    const MANY: usize = 10_000;
    if list.len() <= MANY {
        list.sort_unstable();
        return;
    }
    let (first, second) = list.split_at_mut(list.len() / 2);
    thread::scope(|scope| {
        scope.spawn(|| first.sort_unstable());
        second.sort_unstable();
    });
    // This sort finds two runs, and merges them.
    list.sort();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_comes_out_in_order() {
        let mut list: Vec<u32> = (0..30_001).map(|place| place * 7919 % 30_001).collect();
        sort(&mut list);
        assert!(list.is_sorted() && list[30_000] == 30_000);
    }
}
