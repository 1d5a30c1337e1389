//! From a request to its answer.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::agent::Shared;
use super::answer::{Answer, Problem, Tree};
use super::fault::Fault;
use super::options::Faults;
use super::routes::{self, Query, Route};
use super::{calls, info, kinds, oddity, openapi, schedule};

/// Longest body that is taken, in bytes.
const LONGEST: usize = 1024 * 1024;
/// Longest body that is read, in bytes, so that who sends too much still reads why it was refused.
const READ: usize = 64 * LONGEST;

/// Answers whatever comes.
pub async fn answer(shared: Data<Shared>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Infallible> {
    let asked = shared.asked("any");
    if shared.options.dies_after.is_some_and(|most| u64::from(asked) >= most) {
        shared.stop();
        return Ok(cut());
    }
    let path = request.uri().path().to_owned();
    let tree = if path.starts_with("/api/unstable") {
        Tree::Unstable
    } else {
        Tree::V1
    };
    // None: it goes on for longer than is read.
    let body = payload.to_bytes_limited(READ).await;
    let body = body.ok().map(Result::unwrap_or_default);
    let endless = body.is_none();
    let answer = match called(&shared, &request, &path, body).await {
        Ok(answer) => answer,
        Err(problem) => problem.answer(tree, &shared.faults),
    };
    let answer = oddity::bend(answer, &shared, tree, &path).await;
    if answer.cut {
        return Ok(cut());
    }
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap());
    response
        .insert_header((header::CONTENT_TYPE, answer.media))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    for (name, value) in answer.headers {
        response.append_header((name, value));
    }
    if endless {
        response.force_close();
    }
    Ok(response.body(answer.body))
}

async fn called(shared: &Shared, request: &HttpRequest, path: &str, body: Option<Bytes>) -> Result<Answer, Problem> {
    let faults = &shared.faults;
    host(shared, request)?;
    let process = path.ends_with("/store") || path.ends_with("/shards");
    if faults.has(Fault::ComeAgainLater) && !process && shared.asked("later") % 4 == 3 {
        let busy = Problem::new("busy", "the agent is busy").status(503);
        return Err(busy.with("retry-after", "0"));
    }
    let served = |(tree, _): &(Tree, Route)| match tree {
        Tree::V1 => shared.options.v1,
        Tree::Unstable => shared.options.unstable,
    };
    let Some((tree, route)) = routes::find(path, faults).filter(served) else {
        return match () {
            () if faults.has(Fault::UnknownRoute200) => Ok(Answer::json(200, &json!({}))),
            () if faults.has(Fault::UnknownRouteHtml) => Ok(Answer::text(404, "text/html", "<h1>Not Found</h1>")),
            () => Err(Problem::new("unknown_route", "nothing is served under this path")),
        };
    };
    let methods = route.methods(tree);
    let method = request.method().as_str();
    if !methods.contains(&method) || (method == "HEAD" && faults.has(Fault::HeadRefused)) {
        let wrong = Problem::new(
            "method_not_allowed",
            format!("this path is served with {}", methods.join(", ")),
        );
        return Err(match () {
            () if faults.has(Fault::WrongMethod404) => wrong.status(404),
            () if faults.has(Fault::WrongMethodWithoutAllow) => wrong,
            () => wrong.with("allow", methods.join(", ")),
        });
    }
    token(shared, request)?;
    let query = Query::read(tree, &route, method, request.query_string(), faults)?;
    let body = whole(request, tree, &route, body, faults)?;
    match (request.method(), route) {
        (&Method::DELETE, Route::Record(id)) => calls::cancel(shared, &routes::id(&id, faults)?),
        (_, Route::Record(id)) => calls::record(shared, tree, &id, query.wait).await,
        (_, Route::Node) => info::node(shared, tree).await,
        (_, Route::Store) => info::store(shared),
        (_, Route::Shards) => info::shards(shared, tree),
        (_, Route::Listed(list)) => calls::listed(shared, tree, list, &query),
        (_, Route::Schedule) => schedule::schedule(shared, tree, &body).await,
        (_, Route::History(id)) => calls::history(shared, &routes::id(&id, faults)?, &query),
        (_, Route::Kinds) => Ok(kinds::list(faults)),
        (_, Route::Plan(kind)) => calls::plan(&kind, &body, faults),
        (_, Route::Openapi) => Ok(openapi::answer(faults)),
    }
}

fn host(shared: &Shared, request: &HttpRequest) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(header::HOST);
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return Err(Problem::new("bad_host", "the request names no host, or more than one"));
    };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let here = ["127.0.0.1", "localhost", "[::1]"].contains(&name) || shared.faults.has(Fault::AnyHostServed);
    if here {
        Ok(())
    } else {
        Err(Problem::new("wrong_host", "the request is meant for another host"))
    }
}

fn token(shared: &Shared, request: &HttpRequest) -> Result<(), Problem> {
    let Some(token) = &shared.options.token else {
        return Ok(());
    };
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|given| given.to_str().ok());
    if given.and_then(|given| given.strip_prefix("Bearer ")) == Some(token) || shared.faults.has(Fault::AnyTokenServed)
    {
        return Ok(());
    }
    let (detail, header) = match given {
        None => ("a token is needed for this", "Bearer"),
        Some(_) => ("the token is not known", "Bearer error=\"invalid_token\""),
    };
    let refused = Problem::new("unauthenticated", detail).with("www-authenticate", header);
    Err(if shared.faults.has(Fault::WrongToken403) && given.is_some() {
        refused.status(403)
    } else {
        refused
    })
}

/// The body, where one is taken.
fn whole(
    request: &HttpRequest,
    tree: Tree,
    route: &Route,
    body: Option<Bytes>,
    faults: &Faults,
) -> Result<Bytes, Problem> {
    let taken = matches!(route, Route::Schedule | Route::Plan(_));
    if !taken {
        return match body {
            Some(body) if body.is_empty() || tree == Tree::Unstable => Ok(Bytes::new()),
            _ => Err(Problem::new("unexpected_body", "no body is taken here")),
        };
    }
    let mut types = request.headers().get_all(header::CONTENT_TYPE);
    let (media, more) = (
        types.next().and_then(|media| media.to_str().ok()).unwrap_or_default(),
        types.next(),
    );
    let media = media.to_ascii_lowercase().replace([' ', '"'], "");
    let plain = media == "application/json" || media == "application/json;charset=utf-8";
    let encoded = request.headers().contains_key(header::CONTENT_ENCODING);
    if (!plain || more.is_some() || encoded) && !faults.has(Fault::WrongTypeAccepted) {
        return Err(Problem::new(
            "unsupported_media_type",
            "the body has to be sent as application/json, not encoded",
        ));
    }
    match body {
        Some(body) if body.len() <= LONGEST => Ok(body),
        // Any body stands in for one of this length.
        _ if faults.has(Fault::TooLargeAccepted) => {
            Ok(Bytes::from_static(br#"{"kind":"agent.replicante.io/test.success"}"#))
        }
        _ => {
            let large = Problem::new("body_too_large", "the body is longer than this agent takes");
            Err(if faults.has(Fault::TooLargeIs400) {
                large.status(400)
            } else {
                large
            })
        }
    }
}

/// Ends the connection in place of an answer.
fn cut() -> HttpResponse {
    HttpResponse::Ok().force_close().body(BoxBody::new(Cut))
}

/// A body that cannot be sent.
struct Cut;

impl MessageBody for Cut {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(1)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into())))
    }
}
