//! Cleaning: finished records go by count, the oldest first, in slices too small for anybody to notice.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::apply::Tally;
use super::schema::RUNS;

/// Rows of history that one slice removes at most.
const SLICE: usize = 256;

/// Finished records beyond those to keep that may gather before they go, so that many leave the same pages at once.
const GATHER: usize = 64;

/// How long cleaning may keep a commit that others wait for.
const UNNOTICED: Duration = Duration::from_millis(5);

/// Ids of purged records that are remembered.
const REMEMBERED: i64 = 100_000;

/// Free pages that are worth giving back to the file system.
const FREE_PAGES: i64 = 1024;

/// The number of finished records from which on they are cleaned, to `keep` again: less than a hundredth more.
pub(super) const fn most(keep: usize) -> usize {
    let share = keep / 128;
    keep + if share < GATHER { share } else { GATHER }
}

/// Removes what has gathered beyond `keep`, for as long as nobody notices: large records, or long histories, take turns.
pub(super) fn clean_up(connection: &Connection, tally: &mut Tally, keep: usize) -> rusqlite::Result<()> {
    let begun = Instant::now();
    for _ in 0..=GATHER {
        if !clean(connection, tally, keep)? || begun.elapsed() > UNNOTICED {
            break;
        }
    }
    Ok(())
}

/// Removes a slice of the oldest finished record beyond `keep`. Returns whether there is more to remove.
pub(super) fn clean(connection: &Connection, tally: &mut Tally, keep: usize) -> rusqlite::Result<bool> {
    if tally.kept <= keep {
        return Ok(false);
    }
    let oldest = connection
        .prepare_cached("SELECT seq, id FROM invocation WHERE place < ? AND seq < ? ORDER BY place LIMIT 1")?
        // The newest record stays, so that its number is not given again.
        .query_row([RUNS, tally.last_seq], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    let Some((seq, id)) = oldest else { return Ok(false) };
    let removed = connection
        .prepare_cached(
            "DELETE FROM history WHERE seq = ?1 AND version IN
                (SELECT version FROM history WHERE seq = ?1 ORDER BY version LIMIT ?2)",
        )?
        .execute(params![seq, i64::try_from(SLICE).unwrap_or(i64::MAX)])?;
    if removed == SLICE {
        return Ok(true);
    }
    connection
        .prepare_cached("DELETE FROM invocation WHERE seq = ?")?
        .execute([seq])?;
    connection
        .prepare_cached("DELETE FROM request WHERE seq = ?")?
        .execute([seq])?;
    connection
        .prepare_cached("INSERT OR IGNORE INTO purged (id) VALUES (?)")?
        .execute([id])?;
    connection
        .prepare_cached("DELETE FROM purged WHERE n <= (SELECT max(n) FROM purged) - ?")?
        .execute([REMEMBERED])?;
    tally.kept -= 1;
    Ok(tally.kept > keep)
}

/// Gives free pages back, a few at a time. Returns whether there are more. Outside of a transaction.
pub(super) fn shrink(connection: &Connection) -> rusqlite::Result<bool> {
    let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    if free < FREE_PAGES {
        return Ok(false);
    }
    connection.execute_batch("PRAGMA incremental_vacuum(256)")?;
    Ok(free - 256 >= FREE_PAGES)
}
