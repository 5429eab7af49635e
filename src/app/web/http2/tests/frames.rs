//! Frames one by one.

use super::make::{
    END_HEADERS, END_STREAM, PADDED, PRIORITY, block, client, flow, frame, get, headers, talk,
};
use crate::http2::anomaly;
use parse::Settings;
use parse::Side::{ToClient, ToServer};

#[test]
fn settings_are_told_at_once() {
    let payload = [0, 1, 0, 0, 0x10, 0, 0, 4, 0, 1, 0, 0];
    let told = talk(&[(ToServer, &client(&[frame(4, 0, 0, &payload)])), (ToClient, &frame(4, 1, 0, &[]))]);
    assert_eq!(
        told.of("record"),
        ["record 0 http http{ version=2 http2{ stream_id=0 request{ settings[ \
          { settings_id=SETTINGSHEADERTABLESIZE settings_value=4096 } \
          { settings_id=SETTINGSINITIALWINDOWSIZE settings_value=65536 } } } } }"]
    );
    assert_eq!(told.of("anomaly"), [""; 0]);
}

#[test]
fn errors_have_names() {
    let goaway = frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 11, b'x']);
    let unknown = frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 1, 0]);
    let told = talk(&[(ToServer, &client(&[goaway])), (ToClient, &unknown)]);
    assert!(told.of("record")[0].contains("request{ error_code=ENHANCEYOURCALM }"));
    assert!(told.of("record")[1].contains("response{ error_code=256 }"));
}

#[test]
fn what_says_nothing_is_no_event() {
    let window = frame(8, 0, 0, &[0x80, 0, 0, 5]);
    let told = talk(&[(ToServer, &client(&[window, frame(6, 0, 0, &[0; 8])]))]);
    assert_eq!(told.of("record").len(), 0);
    assert_eq!(told.of("progress").len(), 12);
}

#[test]
fn frames_are_told_by_their_place() {
    let told = talk(&[(ToServer, &client(&[frame(4, 0, 0, &[]), get(1, "/")]))]);
    let places: Vec<&str> = told.of("frame");
    assert_eq!(
        places,
        [
            "frame http2.pdu 24 None",
            "frame http2.hdr 24 None",
            "frame http2.pdu 33 Some(0)",
            "frame http2.hdr 33 Some(0)",
            "frame http2.data 42 Some(0)"
        ]
    );
}

#[test]
fn flaws_have_names() {
    let flawed = |kind, flags, stream, payload: &[u8]| {
        let told = talk(&[(ToServer, &client(&[frame(kind, flags, stream, payload), get(3, "/")]))]);
        assert!(told.of("record").last().unwrap().contains("stream_id=3"), "goes on behind it");
        let names: Vec<String> =
            told.of("anomaly").iter().map(|line| line.rsplit(' ').next().unwrap().to_string()).collect();
        names
    };
    let one = |what: &parse::Anomaly| vec![what.name.to_string()];
    assert_eq!(flawed(0, 0, 0, b"x"), one(&anomaly::DATA_STREAM_ZERO));
    assert_eq!(flawed(1, END_HEADERS, 0, &[0x82]), one(&anomaly::INVALID_FRAME_HEADER));
    assert_eq!(flawed(3, 0, 1, &[0; 5]), one(&anomaly::INVALID_FRAME_LENGTH));
    assert_eq!(flawed(2, 0, 1, &[0; 4]), one(&anomaly::INVALID_FRAME_LENGTH));
    assert_eq!(flawed(8, 0, 0, &[0; 3]), one(&anomaly::INVALID_FRAME_LENGTH));
    assert_eq!(flawed(7, 0, 0, &[0; 7]), one(&anomaly::INVALID_FRAME_LENGTH));
    assert_eq!(flawed(1, END_HEADERS | PADDED, 1, &[9, 0x82]), one(&anomaly::INVALID_FRAME_DATA));
    assert_eq!(flawed(1, END_HEADERS | PRIORITY, 1, &[0, 0]), one(&anomaly::INVALID_FRAME_DATA));
    assert_eq!(flawed(1, END_HEADERS, 1, &[0x82, 0x44, 9, b'/']), one(&anomaly::INVALID_FRAME_DATA));
    assert_eq!(flawed(1, END_HEADERS, 1, &[0x82, 0xff, 0x40]), one(&anomaly::INVALID_HEADER));
    assert_eq!(flawed(1, END_HEADERS, 1, &[0xff; 20]), one(&anomaly::HEADER_INTEGER_OVERFLOW));
    assert_eq!(flawed(0, PADDED, 1, &[5, 1, 2]), one(&anomaly::INVALID_FRAME_DATA));
    assert_eq!(flawed(0, PADDED, 1, &[]), one(&anomaly::INVALID_FRAME_DATA));
    assert_eq!(flawed(200, 0, 1, b"an extension"), [""; 0]);
}

#[test]
fn a_wrong_preface_is_told() {
    let told = talk(&[(ToServer, &get(1, "/"))]);
    assert_eq!(told.of("anomaly"), ["anomaly None ts INVALID_CLIENT_MAGIC"]);
    assert_eq!(told.of("record").len(), 1);
}

#[test]
fn a_host_that_is_not_the_authority() {
    let request = |authority, host| headers(1, true, &[(":authority", authority), ("host", host)]);
    let names = |request| talk(&[(ToServer, &client(&[request]))]).of("anomaly").join(" ");
    assert_eq!(names(request("a.example", "A.example")), "");
    assert_eq!(names(request("a.example", "b.example")), "anomaly Some(0) ts AUTHORITY_HOST_MISMATCH");
    assert_eq!(names(request("u:p@a", "u:p@a")), "anomaly Some(0) ts USERINFO_IN_URI");
}

#[test]
fn blocks_are_joined_over_continuations() {
    let whole = block(&[(":method", "GET"), (":path", "/joined"), ("x", "y")]);
    let (one, rest) = whole.split_at(7);
    let (two, three) = rest.split_at(9);
    let padded = [&[3, 0, 0, 0, 0, 77], one, &[0; 3]].concat();
    let told = talk(&[(
        ToServer,
        &client(&[
            frame(1, END_STREAM | PADDED | PRIORITY, 1, &padded),
            frame(9, 0, 1, two),
            frame(9, 0, 1, &[]),
            frame(9, END_HEADERS, 1, three),
        ]),
    )]);
    assert_eq!(told.of("anomaly"), [""; 0]);
    let record = told.of("record")[0];
    assert!(record.contains("{ name=x value=y } }") && record.contains("url=/joined"), "{record}");
    assert!(record.contains("request{ priority=77 }"), "{record}");
    assert_eq!(told.of("progress 0 ts 3").len(), 1, "the first frame says that the stream is over");
}

#[test]
fn a_frame_too_long_to_keep_is_passed_over() {
    let told = talk(&[(ToServer, &client(&[frame(1, END_HEADERS, 1, &[0; 70_000]), get(3, "/next")]))]);
    assert_eq!(told.of("anomaly"), ["anomaly None ts LONG_FRAME_DATA"]);
    assert!(told.of("record")[0].contains("url=/next"));
    let told = talk(&[(ToServer, &client(&[frame(0, END_STREAM, 1, &[7; 70_000]), get(3, "/next")]))]);
    assert_eq!(told.of("anomaly"), ["anomaly Some(0) ts LONG_FRAME_DATA"]);
    assert_eq!(told.files[0].data.len(), 70_000);
}

#[test]
fn a_gap_within_a_body_is_passed_over_and_any_other_ends_it() {
    let mut flow = flow(&Settings::default());
    flow.send(ToServer, &client(&[get(1, "/f")]), false);
    let data = frame(0, END_STREAM | PADDED, 1, &[&[3][..], &[b'd'; 20], &[0; 3]].concat());
    flow.send(ToClient, &[headers(1, false, &[(":status", "200")]), data[..15].to_vec()].concat(), false);
    flow.lose(ToClient, 10);
    flow.send(ToClient, &data[25..], false);
    flow.send(ToServer, &get(3, "/g"), false);
    flow.lose(ToClient, 5);
    let told = flow.close();
    assert_eq!((told.files[0].data.len(), told.files[0].gap), (10, 10));
    assert_eq!(told.files[0].end, Some(parse::FileEnd::Truncated));
    assert_eq!(told.of("record").len(), 2);
}
