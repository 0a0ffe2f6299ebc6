"""What notebooks show: small, and nothing in it is taken for HTML."""

from html.parser import HTMLParser

import pyarrow as pa
import pytest

import lamina

HOSTILE = "<script>alert('x')</script>&\"'><img src=x onerror=alert(1)>"
ALLOWED = {"div", "b", "table", "thead", "tbody", "tr", "th", "td", "p"}


class Tags(HTMLParser):
    """The elements of a text, which must all be closed again."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(shown) -> str:
    text = shown._repr_html_()
    tags = Tags(text)
    assert tags.open == []
    assert tags.seen <= ALLOWED, tags.seen - ALLOWED
    assert tags.attributes <= {"style"}
    assert len(text) < 20_000
    return text


@pytest.fixture
def hostile(tmp_path):
    days = [f"2024-01-{day:02}" for day in range(1, 11)]
    return lamina.Backtest.from_frames(
        algorithm_id=HOSTILE.replace("/", "|"),
        snapshots={"ts": days, "total_value": [float(100 + i * i) for i in range(10)]},
        parameters={HOSTILE: HOSTILE},
        tag=HOSTILE,
        window=HOSTILE,
    )


def test_hostile_texts(hostile, tmp_path):
    for shown in (hostile, hostile.runs[0], hostile.summary):
        check(shown)
    assert "&lt;script&gt;" in hostile._repr_html_()
    with lamina.open(tmp_path / "<b>store", create=True) as store:
        store.backtests.put(hostile, handle="<b>&x")
        for shown in (
            store,
            store.backtests,
            store.backtests["<b>&x"],
            store.backtests["<b>&x"].runs[0],
            store.backtests["<b>&x"].summary,
            store.backtests.list(columns="handle,tag"),
            store.backtests.series("<b>&x"),
        ):
            check(shown)
        assert "&lt;b&gt;store" in store._repr_html_()


def test_a_table_of_anything():
    table = lamina.Table(
        pa.table(
            {
                HOSTILE: [HOSTILE, None],
                "n": [1, None],
                "x": [0.1234567891, float("nan")],
                "d": pa.array(["<i>", None]).dictionary_encode(),
                "l": [[1, 2], None],
            }
        )
    )
    text = check(table)
    assert "<td>&lt;i&gt;</td>" in text
    assert "0.123457" in text
    check(lamina.Table(pa.table({})))
    many = check(lamina.Table(pa.table({"n": range(5000)})))
    assert "and 4,980 more rows" in many


def test_an_import_report():
    failure = lamina.ImportFailure(HOSTILE, "kCorruption", HOSTILE)
    report = lamina.ImportReport(
        imported=1,
        unchanged=2,
        replaced=0,
        failed=(failure,) * 50,
        warnings=((HOSTILE, HOSTILE),),
        runs_new=1,
        runs_shared=0,
        bytes_in=1,
        bytes_stored=1,
        seconds=0.5,
    )
    text = check(report)
    assert "and 31 more rows" in text
    assert "imported" in text


def test_a_summary(hostile, tmp_path):
    with lamina.open(tmp_path / "store", create=True) as store:
        store.backtests.put(hostile, handle="x")
        text = check(store.backtests["x"].summary)
    assert "validated" in text
    assert "sharpe_ratio" in text
    assert "no metrics" in check(lamina.BacktestSummary())
