"""The books, told as stories: what a message leads to, and that the invariants hold after each."""

from tests.unit.settlement_world import A, B, C, PERSON, T1, T2, World, announced, credit, only
from tests.unit.settlement_world import detail, open_account, receipt, release_funds, some_id
from shared.messages.settlement import *
