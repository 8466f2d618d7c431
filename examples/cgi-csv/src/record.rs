//! The records of a CSV text, as RFC 4180 has them; lines may end with a line feed alone.

/// One record: its fields, and the line that it begins in, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) line: usize,
    pub(crate) fields: Vec<String>,
}

/// Reads all records of a text. Empty lines are none.
///
/// # Errors
/// When a quoted field does not end, or something follows its end.
pub(crate) fn records(text: &str) -> Result<Vec<Record>, String> {
    let (mut records, mut line, mut rest) = (Vec::new(), 1, text);
    while !rest.is_empty() {
        let began = line;
        let mut fields = Vec::new();
        loop {
            let (field, end, after) =
                if let Some(quoted) = rest.strip_prefix('"') { self::quoted(quoted, began)? } else { plain(rest) };
            line += field.matches('\n').count();
            fields.push(field);
            rest = after;
            if end != Some(',') {
                break;
            }
        }
        line += 1;
        if fields.iter().any(|field| !field.is_empty()) || fields.len() > 1 {
            records.push(Record { line: began, fields });
        }
    }
    Ok(records)
}

/// A field with what ends it, and what follows.
type Field<'a> = (String, Option<char>, &'a str);

fn plain(text: &str) -> Field<'_> {
    match text.split_once([',', '\n']) {
        Some((field, after)) => {
            let end = text.as_bytes().get(field.len()).map(|byte| char::from(*byte));
            (field.strip_suffix('\r').unwrap_or(field).to_owned(), end, after)
        }
        None => (text.to_owned(), None, ""),
    }
}

fn quoted(text: &str, line: usize) -> Result<Field<'_>, String> {
    let (mut field, mut rest) = (String::new(), text);
    loop {
        let (part, after) =
            rest.split_once('"').ok_or_else(|| format!("line {line} has a quoted field without an end"))?;
        field.push_str(part);
        if let Some(after) = after.strip_prefix('"') {
            field.push('"');
            rest = after;
            continue;
        }
        let end = after.strip_prefix('\r').unwrap_or(after).chars().next();
        return match end {
            None => Ok((field, None, "")),
            Some(',' | '\n') => {
                let after = after.trim_start_matches('\r');
                Ok((field, end, after.get(1..).unwrap_or_default()))
            }
            Some(_) => Err(format!("line {line} has text behind a quoted field")),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: &[(usize, &[&str])]) {
        let records = records(text).unwrap();
        let found: Vec<(usize, Vec<&str>)> =
            records.iter().map(|one| (one.line, one.fields.iter().map(String::as_str).collect())).collect();
        let expect: Vec<(usize, Vec<&str>)> = expect.iter().map(|(line, fields)| (*line, fields.to_vec())).collect();
        assert_eq!(found, expect, "{text:?}");
    }

    #[test]
    fn records_of_a_text() {
        check("", &[]);
        check("a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("a,b\r\n1,2", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("a\n\nb\n", &[(1, &["a"]), (3, &["b"])]);
        check(",\n", &[(1, &["", ""])]);
        check("\"a,\"\"b\"\"\nc\",d\ne,f", &[(1, &["a,\"b\"\nc", "d"]), (3, &["e", "f"])]);
        check("\"a\"\r\nb", &[(1, &["a"]), (2, &["b"])]);
    }

    #[test]
    fn what_is_no_record() {
        assert_eq!(records("a\n\"b").unwrap_err(), "line 2 has a quoted field without an end");
        assert_eq!(records("\"a\"b").unwrap_err(), "line 1 has text behind a quoted field");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(fields in prop::collection::vec("[a-z,\"\n ]{0,8}", 2..6)) {
            let written: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            let read = records(&format!("{}\n", written.join(","))).unwrap();
            prop_assert_eq!(read, vec![Record { line: 1, fields }]);
        }

        #[test]
        fn no_text_breaks_it(text in "[a-c,\"\r\n]{0,40}") {
            let _read_or_refused = records(&text);
        }
    }
}
