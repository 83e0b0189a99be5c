//! The sample report in every format, against golden files. `INSTA_UPDATE=always cargo test --test report` writes them
//! anew; look at the difference before committing it. (JSON's golden file is sample.json itself.)

use rls_tool::report::{Format, Style};

use crate::sample;

#[test]
fn every_format_looks_like_its_golden_file() {
    let report = sample();
    for &format in Format::ALL.iter().filter(|&&format| format != Format::Json) {
        insta::assert_snapshot!(format.name(), report.render(format, Style::Plain).unwrap());
    }
}

#[test]
fn every_format_ends_in_a_line_break_and_sends_nothing_to_the_terminal() {
    let report = sample();
    for &format in Format::ALL {
        let text = report.render(format, Style::Plain).unwrap();
        assert!(text.ends_with('\n') && !text.contains('\u{1b}'), "{format}");
        // A report is a pure function of its value.
        assert_eq!(text, report.render(format, Style::Plain).unwrap(), "{format}");
    }
}
