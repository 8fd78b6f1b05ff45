"""From the first page to the log: what somebody fills in is the contact that the router gets, once."""

import pytest

from tests.channels.web_form.conftest import House, Person


@pytest.mark.parametrize("language", ["en", "cy"])
async def test_a_form_that_is_filled_in_and_sent_is_a_contact_with_every_answer(house: House, language: str) -> None:
    person = Person(house, language)
    await person.fill_in()
    assert person.where == "check", person.errors()
    await person.send()
    assert person.where == "confirmation", person.page.text
    (contact,) = await house.contacts()
    print(contact.model_dump_json(indent=1))
    assert person.reference()
