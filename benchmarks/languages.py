"""Accuracy in ten languages: each learned alone, with and without word vectors, and all of them in one model.

python -m benchmarks.languages
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from deflect import TicketClassifier

#: 14 tickets for each of ten languages and five categories, written for this.
TICKETS = Path(__file__).parents[1] / "tests" / "loop" / "multilingual_tickets.csv"
N_CUTS = 3


def main() -> None:
    """Print the rows of a Markdown table, one for each language."""
    tickets = read_multilingual()
    columns = {
        "alone": answers_alone(tickets, TicketClassifier()),
        "alone, without word vectors": answers_alone(tickets, TicketClassifier(vector_weight=0)),
        "in one model": answers(tickets, TicketClassifier()),
        "in one model, without word vectors": answers(tickets, TicketClassifier(vector_weight=0)),
    }
    table = pd.DataFrame({name: 100 * accuracies(tickets, answered) for name, answered in columns.items()})
    table.loc["mean"] = table.mean()
    print(f"| language | {' | '.join(columns)} |")
    print("|---|" + "---|" * len(columns))
    for language, row in table.iterrows():
        print(f"| {language} | {' | '.join(f'{value:.1f}' for value in row)} |")


def read_multilingual() -> pd.DataFrame:
    """Read the tickets (columns language, category and text); ``cut`` says with which of them a ticket is held out."""
    tickets = pd.read_csv(TICKETS)
    return tickets.assign(cut=tickets.groupby(["language", "category"]).cumcount() % N_CUTS)


def answers(tickets: pd.DataFrame, classifier: TicketClassifier) -> pd.Series[str]:
    """Return the category of each ticket as a classifier says that has learned from the other cuts."""
    chosen = pd.Series("", index=tickets.index)
    for cut in range(N_CUTS):
        train, test = tickets[tickets["cut"] != cut], tickets[tickets["cut"] == cut]
        classifier.fit(train["text"].tolist(), train["category"].to_numpy())
        chosen[test.index] = classifier.predict(test["text"].tolist())
    return chosen


def answers_alone(tickets: pd.DataFrame, classifier: TicketClassifier) -> pd.Series[str]:
    """Return the same where each language is learned from its own tickets."""
    return pd.concat([answers(own, classifier) for _, own in tickets.groupby("language")]).sort_index()


def accuracies(tickets: pd.DataFrame, answered: pd.Series[str]) -> pd.Series[float]:
    """Return the share of right answers in each language."""
    return (answered == tickets["category"]).groupby(tickets["language"], sort=False).mean()


if __name__ == "__main__":
    main()
