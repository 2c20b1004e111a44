use axum::body::Body;
use futures_util::stream;
use tokio::time::Instant;

use super::*;

const DEADLINE: Duration = Duration::from_secs(30);

fn code(answer: Result<BytesMut, ApiError>) -> Result<usize, ErrorCode> {
    answer.map(|body| body.len()).map_err(|error| error.code())
}

#[tokio::test]
async fn a_body_is_held_until_the_request_ends() {
    let budget = Budget::new(100_000);
    let reading = Reading::new(budget.clone(), DEADLINE);
    let body = reading.body(Body::from(vec![b'x'; 1000]));
    assert_eq!(budget.held(), 0, "nothing is held before it is read");
    assert_eq!(code(whole(body).await), Ok(1000));
    assert_eq!(budget.held(), 1000);
    drop(reading);
    assert_eq!(budget.held(), 0);
}

#[tokio::test]
async fn a_limit_holds_for_what_is_announced_and_for_what_arrives() {
    for limit in [10, 70_000] {
        let reading = Reading::new(Budget::new(1 << 20), DEADLINE);
        reading.limit.store(limit, Ordering::Relaxed);
        let body = reading.body(Body::from(vec![b'x'; limit]));
        assert_eq!(code(whole(body).await), Ok(limit));
        let body = reading.body(Body::from(vec![b'x'; limit + 1]));
        assert_eq!(code(whole(body).await), Err(ErrorCode::TooLarge));
        let pieces = (0..=limit / 10).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 10]));
        let body = reading.body(Body::from_stream(stream::iter(pieces)));
        assert_eq!(code(whole(body).await), Err(ErrorCode::TooLarge));
    }
}

#[tokio::test]
async fn a_body_that_is_handed_on_costs_the_same_however_large_it_is() {
    let budget = Budget::new(STREAMED);
    let reading = Reading::new(budget.clone(), DEADLINE);
    let limit = BodyLimit::streamed(4 * STREAMED);
    reading.limit.store(limit.bytes, Ordering::Relaxed);
    reading.streamed.store(limit.streamed, Ordering::Relaxed);
    let pieces = |count: usize| {
        let pieces = (0..count).map(|_| Ok::<_, std::io::Error>(vec![b'x'; STREAMED]));
        reading.body(Body::from_stream(stream::iter(pieces)))
    };
    assert_eq!(code(whole(pieces(4)).await), Ok(4 * STREAMED));
    assert_eq!(budget.held(), STREAMED);
    let over = code(whole(pieces(5)).await);
    assert_eq!(
        over,
        Err(ErrorCode::Unavailable),
        "the first one holds it still"
    );
    reading.give_back();
    let over = code(whole(pieces(5)).await);
    assert_eq!(over, Err(ErrorCode::TooLarge));
    let other = Reading::new(budget.clone(), DEADLINE);
    let _taken = budget.take(budget.most() - budget.held());
    other.streamed.store(true, Ordering::Relaxed);
    let body = other.body(Body::from("x"));
    assert_eq!(code(whole(body).await), Err(ErrorCode::Unavailable));
}

#[tokio::test]
async fn without_room_it_is_refused_and_what_was_taken_comes_back() {
    let budget = Budget::new(500);
    let reading = Reading::new(budget.clone(), DEADLINE);
    let body = reading.body(Body::from(vec![b'x'; 501]));
    assert_eq!(code(whole(body).await), Err(ErrorCode::Unavailable));
    let pieces = (0..6).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 100]));
    let body = reading.body(Body::from_stream(stream::iter(pieces)));
    assert_eq!(code(whole(body).await), Err(ErrorCode::Unavailable));
    drop(reading);
    assert_eq!(budget.held(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stays_away_is_late() {
    let reading = Reading::new(Budget::new(1 << 20), DEADLINE);
    let begun = Instant::now();
    let body = reading.body(Body::from_stream(stream::pending::<
        Result<Bytes, std::io::Error>,
    >()));
    assert_eq!(code(whole(body).await), Err(ErrorCode::RequestTimeout));
    assert_eq!(begun.elapsed(), DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_late_too() {
    let reading = Reading::new(Budget::new(1 << 20), DEADLINE);
    let trickle = stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
    });
    let body = reading.body(Body::from_stream(trickle));
    assert_eq!(code(whole(body).await), Err(ErrorCode::RequestTimeout));
}
