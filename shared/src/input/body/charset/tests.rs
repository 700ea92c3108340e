use super::*;

fn charset(name: &str) -> Charset {
    match Codec::named(name) {
        Codec::Text(charset) => charset,
        other => panic!("{name} is {other:?}"),
    }
}

fn error(name: &str, bytes: &[u8]) -> String {
    charset(name).decode_stream(bytes).unwrap_err()
}

#[test]
fn charsets_go_by_any_spelling_python_takes() {
    for (name, codec) in [
        ("UTF-8", Codec::Text(Charset::Utf8)),
        (" utf 8 ", Codec::Text(Charset::Utf8)),
        ("ISO-8859-1", Codec::Text(Charset::Latin1)),
        ("ANSI_X3.4-1968", Codec::Text(Charset::Ascii)),
        ("utf-16le", Codec::Text(Charset::Utf16(Order::Little))),
        (
            "latin-9",
            Codec::Unknown, // Python has `latin9` only.
        ),
        (
            "Windows-1251",
            Codec::Text(Charset::Legacy("cp1251", encoding_rs::WINDOWS_1251)),
        ),
        (
            "chinese",
            Codec::Text(Charset::Legacy("gb2312", encoding_rs::GBK)),
        ),
        ("Base64", Codec::Refused),
        ("IBM037", Codec::Refused),
        ("x-sjis", Codec::Unknown),
        ("klingon", Codec::Unknown),
        ("none", Codec::Unknown),
        ("", Codec::Unknown),
    ] {
        assert_eq!(Codec::named(name), codec, "{name:?}");
    }
}

#[test]
fn every_codec_of_the_list_has_an_encoding_or_is_refused() {
    for line in CODECS.lines() {
        let (label, names) = line.split_once(": ").unwrap();
        for name in names.split(' ') {
            let is_refused = Codec::named(name) == Codec::Refused;
            assert_eq!(is_refused, label == "none", "{name}");
        }
    }
}

#[test]
fn texts_are_read_as_python_reads_them() {
    for (name, bytes, expected) in [
        ("latin-1", &b"\xe9\xff"[..], "éÿ"),
        ("utf-8-sig", b"\xef\xbb\xbf\xc3\xa9", "é"),
        ("utf-8-sig", b"\xc3\xa9", "é"),
        ("utf-7", b"a+-b+2D3eAA-+AGE.", "a+b😀a."),
        ("utf-16", b"\xff\xfe=\xd8\0\xde", "😀"),
        ("utf-16", b"\xfe\xff\0\xe9", "é"),
        ("utf-16-be", b"\xfe\xff", "\u{feff}"),
        ("utf-32", b"\xff\xfe\0\0\0\xf6\x01\0", "😀"),
        ("utf-32", b"\0\0\xfe\xff\0\x01\xf6\0", "😀"),
        ("gb2312", b"\xcd\xf5\xa1\xa4", "王・"),
        ("gbk", b"\xe9\x46\xa1\xa4", "镕·"),
        ("gb18030", b"\x81\x30\x81\x30", "\u{80}"),
        ("big5", b"\xa4\xfd\xa1\x45\xc7U\xc7\xb6", "王•ソИ"),
        ("cp950", b"\xa1\x45", "‧"),
        ("shift_jis", b"\x83\\\x81\x60\xb1", "ソ〜ｱ"),
        ("cp932", b"\x81\x60\xfb\xfc", "～髙"),
        ("euc-jp", b"\xb2\xa6\x8f\xb0\xa1", "王丂"),
        ("iso2022_jp", b"\x1b$B2&\x1b(B!", "王!"),
        ("euc-kr", b"\xb1\xe8", "김"),
        ("cp949", b"\x8cc", "똠"),
        ("windows-1251", b"\xc8\xe2", "Ив"),
        ("koi8-u", b"\xa4\xae", "є╝"),
        ("iso-8859-9", b"\xfd\x80", "ı\u{80}"),
        ("iso-8859-15", b"\xa4", "€"),
        ("mac-roman", b"\x8e", "é"),
    ] {
        let charset = charset(name);
        assert_eq!(
            charset.decode_stream(bytes).as_deref(),
            Ok(expected),
            "{name}"
        );
        assert_eq!(charset.decode(bytes).as_deref(), Some(expected), "{name}");
        assert_eq!(charset.decode_replacing(bytes), expected, "{name}");
    }
}

#[test]
fn undecodable_bytes_are_reported_as_python_reports_them() {
    for (name, bytes, expected) in [
        (
            "utf-8",
            &b"{\"username\": \"\xff\"}"[..],
            "byte 0xff in position 14: invalid start byte",
        ),
        (
            "utf-8",
            b"\x80",
            "byte 0x80 in position 0: invalid start byte",
        ),
        (
            "utf-8",
            b"a\xc3(",
            "byte 0xc3 in position 1: invalid continuation byte",
        ),
        (
            "utf-8",
            b"abc\xe2\x82(",
            "bytes in position 3-4: invalid continuation byte",
        ),
        (
            "utf-8",
            b"\xf0\x9f\x98(",
            "bytes in position 0-2: invalid continuation byte",
        ),
        (
            "utf-8",
            b"\xed\xa0\x80",
            "byte 0xed in position 0: invalid continuation byte",
        ),
        (
            "ascii",
            b"a\xe9",
            "byte 0xe9 in position 1: ordinal not in range(128)",
        ),
        (
            "utf-16-le",
            b"a\0\0\xdca\0",
            "bytes in position 2-3: illegal encoding",
        ),
        (
            "utf-16-be",
            b"\xd8\0\0a",
            "bytes in position 0-1: illegal UTF-16 surrogate",
        ),
        (
            "utf-32-le",
            b"\0\0\x11\0",
            "bytes in position 0-3: code point not in range(0x110000)",
        ),
        (
            "gb2312",
            b"a\xff\xff",
            "byte 0xff in position 1: illegal multibyte sequence",
        ),
        (
            "euc_kr",
            b"a\xb1",
            "byte 0xb1 in position 1: incomplete multibyte sequence",
        ),
    ] {
        let expected = format!("'{name}' codec can't decode {expected}");
        assert_eq!(error(name, bytes), expected);
    }
    for (name, bytes, expected) in [
        (
            "utf-8-sig",
            &b"\xef\xbb\xbf\xff"[..],
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        (
            "utf-16",
            b"\xff\xfe\0\xdc",
            "'utf-16-le' codec can't decode bytes in position 2-3: illegal encoding",
        ),
        ("utf-16", b"a\0", "UTF-16 stream does not start with BOM"),
        (
            "utf-32",
            b"a\0\0\0",
            "UTF-32 stream does not start with BOM",
        ),
        (
            "cp1252",
            b"\x81",
            "'charmap' codec can't decode byte 0x81 in position 0: character maps to <undefined>",
        ),
    ] {
        assert_eq!(error(name, bytes), expected);
    }
}

#[test]
fn a_character_cut_short_by_the_end_is_dropped_from_json_only() {
    for (name, bytes, expected, replaced) in [
        ("utf-8", &b"{}\xe2\x82"[..], "{}", "{}\u{fffd}"),
        ("utf-8", b"\xf0", "", "\u{fffd}"),
        ("utf-8", b"1\xed\xa0", "1", "1\u{fffd}\u{fffd}"),
        ("utf-16-le", b"1\0a", "1", "1\u{fffd}"),
        ("utf-16-le", b"1\0\0\xd8a", "1", "1\u{fffd}"),
        ("utf-32-le", b"1\0\0\0a\0", "1", "1\u{fffd}"),
        ("utf-7", b"1+AG", "1", "1\u{fffd}"),
    ] {
        let charset = charset(name);
        assert_eq!(
            charset.decode_stream(bytes).as_deref(),
            Ok(expected),
            "{name}"
        );
        assert_eq!(charset.decode(bytes), None, "{name}");
        assert_eq!(charset.decode_replacing(bytes), replaced, "{name}");
    }
}

#[test]
fn every_wrong_byte_of_a_form_is_replaced() {
    for (name, bytes, expected) in [
        ("ascii", &b"a\xe9"[..], "a\u{fffd}"),
        ("gbk", b"\xff\xffA\x81", "\u{fffd}\u{fffd}A\u{fffd}"),
        ("gb2312", b"\xe9\x46", "\u{fffd}F"),
        ("shift_jis", b"\xfb\xfc", "\u{fffd}\u{fffd}"),
        ("cp1252", b"\x81a", "\u{fffd}a"),
    ] {
        assert_eq!(charset(name).decode_replacing(bytes), expected, "{name}");
    }
}
