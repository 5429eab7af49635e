//! The examples of RFC 7541, appendix C, and blocks that nobody should send.

use super::{Broken, Decoder, Piece};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Decodes a block to lines, one a piece.
fn lines(decoder: &mut Decoder, block: &[u8]) -> (Vec<String>, Result<(), Broken>) {
    let mut out = Vec::new();
    let result = decoder.decode(block, &mut |piece| {
        out.push(match piece {
            Piece::Field(name, value) => format!("{}: {}", name.escape_ascii(), value.escape_ascii()),
            Piece::Resize(size) => format!("={size}"),
            Piece::Invalid => "?".into(),
        });
    });
    (out, result)
}

fn check(decoder: &mut Decoder, hex: &str, fields: &[&str], size: usize) {
    let (found, result) = lines(decoder, &bytes(hex));
    assert_eq!((found.iter().map(String::as_str).collect::<Vec<_>>(), result), (fields.to_vec(), Ok(())));
    assert_eq!(decoder.table.size(), size);
}

#[test]
fn integers_of_c_1() {
    let read = |first, bits, rest: &[u8]| super::integer(first, bits, &mut parse::Cursor::new(rest));
    assert_eq!(read(0x0a, 5, &[]), Ok(10));
    assert_eq!(read(0x1f, 5, &[0x9a, 0x0a]), Ok(1337));
    assert_eq!(read(0x2a, 8, &[]), Ok(42));
    assert_eq!(read(0x1f, 5, &[0x9a]), Err(Broken::Cut));
    assert_eq!(read(0x7f, 7, &[0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Ok(u64::MAX));
    assert_eq!(
        read(0x7f, 7, &[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        Err(Broken::Overflow)
    );
    assert_eq!(read(0x7f, 7, &[0xff; 20]), Err(Broken::Overflow));
    assert_eq!(read(0x7f, 7, &[0x80; 20]), Err(Broken::Overflow));
}

#[test]
fn single_fields_of_c_2() {
    let mut decoder = Decoder::new();
    check(
        &mut decoder,
        "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
        &["custom-key: custom-header"],
        55,
    );
    let mut decoder = Decoder::new();
    check(&mut decoder, "040c 2f73 616d 706c 652f 7061 7468", &[":path: /sample/path"], 0);
    check(&mut decoder, "1008 7061 7373 776f 7264 0673 6563 7265 74", &["password: secret"], 0);
    check(&mut decoder, "82", &[":method: GET"], 0);
}

const REQUESTS: [&[&str]; 3] = [
    &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
    &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
    &[
        ":method: GET",
        ":scheme: https",
        ":path: /index.html",
        ":authority: www.example.com",
        "custom-key: custom-value",
    ],
];

#[test]
fn requests_of_c_3_and_c_4() {
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let packed = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    for blocks in [plain, packed] {
        let mut decoder = Decoder::new();
        for ((block, fields), size) in blocks.iter().zip(REQUESTS).zip([57, 110, 164]) {
            check(&mut decoder, block, fields, size);
        }
    }
}

#[test]
fn responses_of_c_5_and_c_6_put_entries_out() {
    const COOKIE: &str = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    let fields: [&[&str]; 3] = [
        &[
            ":status: 302",
            "cache-control: private",
            "date: Mon, 21 Oct 2013 20:13:21 GMT",
            "location: https://www.example.com",
        ],
        &[
            ":status: 307",
            "cache-control: private",
            "date: Mon, 21 Oct 2013 20:13:21 GMT",
            "location: https://www.example.com",
        ],
        &[
            ":status: 200",
            "cache-control: private",
            "date: Mon, 21 Oct 2013 20:13:22 GMT",
            "location: https://www.example.com",
            "content-encoding: gzip",
            COOKIE,
        ],
    ];
    let plain = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d
         546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
         6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
         2076 6572 7369 6f6e 3d31",
    ];
    let packed = [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7
         8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
         dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    for blocks in [plain, packed] {
        let mut decoder = Decoder::new();
        decoder.table.resize(256);
        for ((block, fields), size) in blocks.iter().zip(fields).zip([222, 222, 215]) {
            check(&mut decoder, block, fields, size);
        }
    }
}

#[test]
fn what_cannot_be_read_is_told_and_passed_over() {
    let mut decoder = Decoder::new();
    let (found, result) = lines(&mut decoder, &bytes("80 be 82 7f10 0161 44 81ff 3fe11f 84"));
    assert_eq!(found, ["?", "?", ":method: GET", "?", "?", "=4096", ":path: /"]);
    assert_eq!(result, Ok(()));
    assert_eq!(lines(&mut decoder, &bytes("82 4405 2f")), (vec![":method: GET".into()], Err(Broken::Cut)));
    assert_eq!(lines(&mut decoder, &bytes("82 00")).1, Err(Broken::Cut));
    assert_eq!(lines(&mut decoder, &bytes("82 04 7fffffffffffffffffffff")).1, Err(Broken::Overflow));
}

#[test]
fn a_name_may_come_from_the_entry_that_it_puts_out() {
    let mut decoder = Decoder::new();
    decoder.table.resize(64);
    let (found, _) = lines(&mut decoder, &bytes("40 03616263 0131 7e 0132 be"));
    assert_eq!(found, ["abc: 1", "abc: 2", "abc: 2"]);
}
