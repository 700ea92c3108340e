//! Bodies in other charsets than UTF-8, read as Python's codecs read them.

use testkit::{NOBODY, Server, detail};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=b";

/// A part of a multipart body, and the end of it.
fn part(name: &str, value: &[u8]) -> Vec<u8> {
    let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    [head.as_bytes(), value, b"\r\n--b--\r\n"].concat()
}

#[tokio::test]
async fn a_body_is_read_in_the_charset_that_it_declares() {
    let server = Server::start().await;
    let utf_16 = "\u{feff}{\"first_name\": \"王\"}".encode_utf16();
    let utf_16: Vec<u8> = utf_16.flat_map(u16::to_be_bytes).collect();
    let shift_jis = b"first_name=%83%5C\x83\\".to_vec();
    let gb2312 = b"{\"first_name\": \"\xcd\xf5\"}".to_vec();
    let utf_8_sig = "\u{feff}{\"first_name\": \"王\"}".into();
    let koi8_r = part("first_name", b"\xe9\xd7\xc1\xce");
    for (kind, charset, body, name) in [
        (FORM, "gb2312", b"first_name=%CD%F5".to_vec(), "王"),
        (FORM, "shift_jis", shift_jis, "ソソ"),
        (FORM, "ascii", b"first_name=%CD".to_vec(), "\u{fffd}"),
        (JSON, "GB2312", gb2312, "王"),
        (JSON, "utf-16", utf_16, "王"),
        (JSON, "utf-8-sig", utf_8_sig, "王"),
        (JSON, "klingon", "{\"first_name\": \"王\"}".into(), "王"),
        (MULTIPART, "koi8-r", koi8_r, "Иван"),
    ] {
        let kind = format!("{kind}; charset={charset}");
        let answer = server.send_as(&kind, &server.admin, "PATCH", "users/1/", body);
        let answer = answer.await;
        answer.assert_status(200);
        assert_eq!(answer.field("first_name"), name, "{kind}");
    }
}

#[tokio::test]
async fn a_body_that_its_charset_cannot_mean_is_a_parse_error() {
    let server = Server::start().await;
    for (charset, body, text) in [
        (
            "gb2312",
            &b"{\"username\": \"\xff\"}"[..],
            "JSON parse error - 'gb2312' codec can't decode byte 0xff in position 14: \
             illegal multibyte sequence",
        ),
        (
            "utf-16",
            b"{\0}\0",
            "JSON parse error - UTF-16 stream does not start with BOM",
        ),
        (
            "cp037",
            b"{}",
            "Unsupported charset \"cp037\" in request Content-Type header.",
        ),
    ] {
        let kind = format!("{JSON}; charset={charset}");
        let answer = server.send_as(&kind, NOBODY, "POST", "login/", body.to_vec());
        answer.await.assert(400, detail(text));
    }
}

#[tokio::test]
async fn two_passwords_in_a_charset_are_two_passwords() {
    let server = Server::start().await;
    let post = async |path: &str, body: String| {
        let kind = format!("{FORM}; charset=gbk");
        server.send_as(&kind, NOBODY, "POST", path, body).await
    };
    let (password, other) = ("%CD%F5%B4%F3%B4%BA%BB%A8", "%C0%EE%D0%A1%CF%C4%D2%B6");
    let names = "username=wang&email=wang@example.com";
    let register = format!("{names}&password={password}wxyz&password2={password}wxyz");
    let made = post("users/register/", register).await;
    made.assert_status(201);
    let wrong = post("login/", format!("username=wang&password={other}wxyz")).await;
    wrong.assert(
        401,
        detail("No active account found with the given credentials"),
    );
    server.log_in("wang", "王大春花wxyz").await;
}
