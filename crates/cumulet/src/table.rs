//! Tables for people.

/// Lines in which every column is as wide as its widest cell: the first `names` to the left, the others to the right.
pub(crate) fn aligned(rows: &[Vec<String>], names: usize) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            column if column < names => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A table of names: a header, and rows of as many cells, all to the left.
pub(crate) fn of_names<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> Vec<String> {
    let header = header.map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows.into_iter().map(Vec::from)).collect();
    aligned(&rows, COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["APP", "TRAFFIC"], ["a-long-name", "r7 100%"], ["b", ""]].map(|row| row.map(str::to_owned));
        let [header, first, second] = rows;
        let header = header.each_ref().map(String::as_str);
        let expect = ["APP          TRAFFIC", "a-long-name  r7 100%", "b"];
        assert_eq!(of_names(header, [first, second]), expect);
    }
}
