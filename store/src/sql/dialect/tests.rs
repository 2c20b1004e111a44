use super::*;

#[test]
fn rows_become_json() {
    let cells: Vec<Value<'_>> = args!["a\"\\\n灵😀", 1_i64, "", -2_i64];
    assert_eq!(json(2, &cells), "[[\"a\\\"\\\\\\n灵😀\",1],[\"\",-2]]");
    assert_eq!(json(1, &[Value::Int(5)]), "[[5]]");
    assert_eq!(json(1, &[]), "[]");
}

#[test]
fn pieces_have_few_sizes() {
    let items = vec![0; 700];
    let sizes = |d: Dialect| d.chunks(&items).map(<[i32]>::len).collect::<Vec<_>>();
    assert_eq!(sizes(Dialect::MySql), [512, 128, 32, 16, 8, 4]);
    assert_eq!(sizes(Dialect::Sqlite)[..6], [128, 128, 128, 128, 128, 32]);
    let lists = |d: Dialect, n: usize| {
        let keys: Vec<i64> = (0..n).map(|k| k as i64).collect();
        d.lists(&keys).map(|l| l.len()).collect::<Vec<_>>()
    };
    assert_eq!(lists(Dialect::MySql, 5), [16]);
    assert_eq!(lists(Dialect::MySql, 512), [512]);
    assert_eq!(lists(Dialect::MySql, 513), [512, 1]);
    assert_eq!(lists(Dialect::Sqlite, 9), [8, 1]);
    assert_eq!(lists(Dialect::MySql, 0), [0; 0]);
    assert_eq!(Dialect::MySql.value_chunks(&items).count(), 1);
    assert_eq!(Dialect::MySql.value_chunks::<i32>(&[]).count(), 0);
}
