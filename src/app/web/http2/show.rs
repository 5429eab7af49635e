//! A transaction as its event shows it.

use super::exchange::{Exchange, Half, Of, host};
use super::fields as own;
use super::head::{Known, Shown};
use super::wire;
use crate::http::bytes::until;
use crate::http::fields;
use crate::http::number::decimal;
use parse::{Field, Side, Visitor};

/// Shows everything.
pub(super) fn show(tx: &Exchange, v: &mut dyn Visitor) {
    let (request, response) = (tx.half(Side::ToServer), tx.half(Side::ToClient));
    v.object(&fields::HTTP);
    v.word(&own::VERSION, "2");
    headers(&fields::REQUEST_HEADERS, request, v);
    headers(&fields::RESPONSE_HEADERS, response, v);
    summary(tx, v);
    v.object(&own::HTTP2);
    v.number(&own::STREAM, u64::from(tx.stream));
    frames(&own::REQUEST, request, v);
    frames(&own::RESPONSE, response, v);
    v.close();
    v.close();
}

/// What events of every version of HTTP show.
fn summary(tx: &Exchange, v: &mut dyn Visitor) {
    let (request, response) = (&tx.half(Side::ToServer).head, &tx.half(Side::ToClient).head);
    if let Some(method) = tx.requested(Known::Method) {
        v.text(&fields::METHOD, method);
    }
    if let Some(path) = tx.requested(Known::Path) {
        v.text(&fields::URL, path);
    }
    let authority = || tx.requested(Known::Authority).map(host);
    if let Some(name) = request.last(Known::Host).or_else(authority) {
        v.text(&fields::HOSTNAME, name);
    }
    if let Some(agent) = request.last(Known::UserAgent) {
        v.text(&fields::USER_AGENT, agent);
    }
    if let Some(kind) = response.last(Known::ContentType) {
        v.text(&fields::CONTENT_TYPE, until(kind, memchr::memchr(b';', kind).unwrap_or(kind.len())));
    }
    let length = response.last(Known::ContentLength).or_else(|| request.last(Known::ContentLength));
    if let Some(length) = length.and_then(decimal) {
        v.number(&fields::LENGTH, length);
    }
    if let Some(status) = response.last(Known::Status).and_then(decimal) {
        v.number(&fields::STATUS, status);
    }
}

/// The fields of one side, in order.
fn headers(list: &'static Field, half: &Half, v: &mut dyn Visitor) {
    if half.head.len() == 0 {
        return;
    }
    v.list(list);
    for shown in half.head.entries(0) {
        v.item();
        match shown {
            Shown::Field(name, value) => {
                v.text(&fields::HEADER_NAME, name);
                v.text(&fields::HEADER_VALUE, value);
            }
            Shown::Resize(size) => v.number(&own::SIZE_UPDATE, size),
        }
        v.close();
    }
    v.close();
}

/// What the frames of one side said besides fields; nothing when they said nothing.
fn frames(object: &'static Field, half: &Half, v: &mut dyn Visitor) {
    let shown = |of| matches!(of, Of::Setting | Of::Error | Of::Weight);
    if !half.marks.iter().any(|mark| shown(mark.of)) {
        return;
    }
    v.object(object);
    settings(half, v);
    let mut errors = half.marks(Of::Error);
    if let Some(code) = errors.next() {
        error(code, v);
    }
    let mut weights = half.marks(Of::Weight);
    if let Some(&[weight]) = weights.next() {
        v.number(&own::PRIORITY, u64::from(weight));
    }
    if errors.next().is_some() {
        v.word(&own::MULTIPLE, "error_code");
    } else if weights.next().is_some() {
        v.word(&own::MULTIPLE, "priority");
    }
    v.close();
}

fn settings(half: &Half, v: &mut dyn Visitor) {
    let mut open = false;
    for mark in half.marks(Of::Setting) {
        let Some((&[a, b], value)) = mark.split_first_chunk() else { continue };
        let (Some(name), Ok(value)) = (wire::setting(u16::from_be_bytes([a, b])), value.try_into()) else {
            continue;
        };
        if !open {
            v.list(&own::SETTINGS);
            open = true;
        }
        v.item();
        v.word(&own::SETTING, name);
        v.number(&own::SETTING_VALUE, u64::from(u32::from_be_bytes(value)));
        v.close();
    }
    if open {
        v.close();
    }
}

fn error(code: &[u8], v: &mut dyn Visitor) {
    let code = code.try_into().map_or(0, u32::from_be_bytes);
    match wire::error(code) {
        Some(name) => v.word(&own::ERROR, name),
        None => v.text(&own::ERROR, code.to_string().as_bytes()),
    }
}
