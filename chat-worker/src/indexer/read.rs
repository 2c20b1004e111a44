//! What a stretch of a log brings into the index.

use lingxi_domain::detail::searched;
use lingxi_domain::{Seq, search};
use lingxi_store::{Bounds, Entry, EntryKind, Error, Store};

use super::waiting::Texts;

/// What is read of one conversation at a time.
const STRETCH: Bounds = Bounds {
    rows: 256,
    bytes: 256 * 1024,
};

/// A stretch of one conversation's log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its last place.
    pub(super) upto: Seq,
    /// The texts in it, and those that were edited in it.
    pub(super) texts: Texts,
    /// Whether the log goes on behind it.
    pub(super) has_more: bool,
}

/// The texts behind `after`, where they are all that stands there and the first of it: as many as are taken at a time.
/// `None` where something else is between them.
pub(super) fn gathered(after: Seq, texts: Texts) -> Option<Stretch> {
    let mut stretch = Stretch {
        upto: after,
        ..Stretch::default()
    };
    let mut bytes = 0;
    for (seq, text) in texts.into_iter().filter(|(seq, _)| *seq > after) {
        if seq != stretch.upto + 1 {
            return None;
        }
        bytes += text.len();
        if bytes > STRETCH.bytes && !stretch.texts.is_empty() {
            stretch.has_more = true;
            return Some(stretch);
        }
        stretch.upto = seq;
        stretch.texts.push((seq, text));
    }
    Some(stretch).filter(|stretch| !stretch.texts.is_empty())
}

/// Reads the log behind `after`.
///
/// # Errors
/// When the store fails.
pub(super) async fn read(store: &Store, key: &str, after: Seq) -> Result<Stretch, Error> {
    let places = (after.saturating_add(1), Seq::MAX);
    let page = store
        .history_page(key, places, STRETCH, true, false)
        .await?;
    let edited = page.entries.iter().filter(|e| e.kind == EntryKind::Edited);
    let edited: Vec<i64> = edited.filter_map(|edit| edit.target).collect();
    let edited = store.messages(&edited).await?;
    let upto = page.entries.last().map_or(after, |last| last.seq);
    let messages = page.entries.into_iter().chain(edited);
    let messages = messages.filter(|e| e.kind == EntryKind::Message && e.recalled_at.is_none());
    Ok(Stretch {
        upto,
        texts: messages.map(|entry| (entry.seq, text(&entry))).collect(),
        has_more: page.has_more,
    })
}

fn text(message: &Entry) -> String {
    searched(&message.content, message.detail.as_deref()).into_owned()
}

/// The keys of these texts, each with the place of its message.
pub(super) fn postings(texts: &[(Seq, String)]) -> Vec<(u32, Seq)> {
    let of_text = |(seq, text): &(Seq, String)| {
        let seq = *seq;
        search::keys(text).into_iter().map(move |key| (key, seq))
    };
    texts.iter().flat_map(of_text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(seqs: &[Seq]) -> Texts {
        seqs.iter().map(|&seq| (seq, "text".to_owned())).collect()
    }

    #[test]
    fn what_was_gathered_is_taken_where_nothing_is_missing() {
        let upto = |after, seqs: &[Seq]| gathered(after, texts(seqs)).map(|stretch| stretch.upto);
        assert_eq!(upto(0, &[1, 2, 3]), Some(3));
        assert_eq!(upto(2, &[1, 2, 3]), Some(3));
        assert_eq!(upto(3, &[1, 2, 3]), None, "it is there already");
        assert_eq!(upto(0, &[2, 3]), None);
        assert_eq!(upto(0, &[1, 3]), None);
        assert_eq!(upto(0, &[]), None);
        let long: Texts = (1..=40).map(|seq| (seq, "x".repeat(10_000))).collect();
        let stretch = gathered(0, long).unwrap();
        assert_eq!((stretch.upto, stretch.has_more), (26, true));
    }
}
